"""What is cut from URIs before they are written down or shown."""

from vhpipe.plan.redaction import redacted


def test_secrets_are_cut_from_text() -> None:
    assert redacted("https://me:pw@h.example/a?x=1&sig=S&X-Amz-Signature=S&api_key=K#f") == "https://h.example/a?x=1#f"
    assert redacted("-i node.x=https://me@h/a?token=T and more") == "-i node.x=https://h/a and more"
    assert redacted("s3://key:secret@bucket/a?design=1") == "s3://bucket/a?design=1"
    assert redacted("a@b/c?sig=1") == "a@b/c?sig=1"


def test_what_is_redacted_stays_as_it_is_when_it_is_redacted_again() -> None:
    once = redacted("https://me:pw@h.example/a?x=1&sig=S#f")
    assert redacted(once) == once

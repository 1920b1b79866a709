"""Names of variables: which are secret by themselves, and that the documentation lists the words that decide."""

import re
from pathlib import Path

import pytest

from vhpipe.plan import secret_names
from vhpipe.plan.secret_names import is_secret_name

SECRET = """
TOKEN HF_TOKEN TOKEN_OF_ME hf_token GITHUB_TOKEN GITLAB_TOKEN_2 NPM_TOKEN1 AZURE_SAS_TOKEN NODE_AUTH_TOKEN
AUTHTOKEN SECRET CLIENT_SECRETS AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID CLIENTSECRET DB_PASSWORD PGPASSWORD
REDISCLI_PASSWORD PASSWD KEY_PASSPHRASE MYSQL_PWD DB_PASS SMTP_PASS ADMIN_PASS2 WANDB_API_KEY APIKEY
X_APIKEY_2 API_KEY_3 OPENAI_KEY OPENAI_APIKEY SSH_KEY SSH_PRIVATE_KEY STRIPE_KEY LICENSE_KEY FERNET_KEY
DD_APP_KEY GOOGLE_CREDENTIALS CREDENTIAL AWS_CREDS NPM_AUTH AUTHORIZATION SESSION_COOKIE GH_PAT GITHUB_PAT
AZURE_DEVOPS_EXT_PAT SLACK_WEBHOOK SLACK_WEBHOOK_URL SENTRY_DSN DSN MONGO_URI MONGODB_URL DATABASE_URL
REDIS_URL STORAGE_CONNECTION_STRING BEARER_JWT
"""

PLAIN = """
TOKENIZERS_PARALLELISM TOKENIZER MAX_TOKENS NUM_TOKENS PAD_TOKEN EOS_TOKEN MASK_TOKEN TOKEN_LIMIT N_TOKEN
SECRETARY AUTHOR AUTHORS SSH_AUTH_SOCK PWD OLDPWD PASSWORD_LENGTH PASSWORD_FILE SORT_KEY PRIMARY_KEY
FOREIGN_KEY PARTITION_KEY GROUP_KEY CACHE_KEY LABEL_KEY IMAGE_KEY PUBLIC_KEY KEY KEYBOARD KEYS N_PASS NUM_PASS
FORWARD_PASS FIRST_PASS PASSAGE PASSAGES PASS_THROUGH BYPASS COMPASS FILE_PAT PATIENCE PATH
MLFLOW_TRACKING_URI DATA_URL MODEL_URI DSNAME WEBHOOKS_ENABLED
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_names_that_are_secret_by_themselves(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", PLAIN.split())
def test_names_that_only_sound_alike_are_plain(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["", "_", "1", "__2", "_TOKEN_", "2"])
def test_names_without_words_are_read(name: str) -> None:
    assert is_secret_name(name) is ("TOKEN" in name)


def test_the_documentation_lists_the_words_that_decide() -> None:
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    section = text.split("## Names that are secret")[1].split("\n## ")[0]
    listed = set(re.findall(r"[A-Z][A-Z0-9]*", " ".join(re.findall(r"`([^`]*)`", section))))
    tables = [value for name, value in vars(secret_names).items() if isinstance(value, frozenset) and name.isupper()]
    words = set().union(*tables) - {word for word in set().union(*tables) if word.isdecimal()}
    assert words <= listed

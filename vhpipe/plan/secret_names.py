"""Which names of variables are secret by themselves: tables of words, compared word by word.

A name is a secret where its words say so, and not where they only sound alike: a value that is hidden without need is
missing in logs and metadata. `docs/settings.md` lists the words; decision 66.
"""

from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALWAYS = _words("""
    SECRET SECRETS PASSWORD PASSWORDS PASSWD PASSPHRASE CREDENTIAL CREDENTIALS CREDS AUTHORIZATION JWT APIKEY
    AUTHTOKEN ACCESSTOKEN BEARER
""")
"""Secret wherever they stand in a name."""

_ENDINGS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "APIKEY")
"""Secret at the end of a word that is written together: `PGPASSWORD`."""

_AT_THE_END = _words("AUTH DSN SAS WEBHOOK COOKIE")

_KEY_OWNERS = _words("""
    ACCESS ACCOUNT API APP APPLICATION AUTH CLIENT CONSUMER DECRYPTION DEPLOY ENCRYPTION FERNET GPG HMAC LICENSE
    MASTER PGP PRIVATE SECRET SERVICE SHARED SIGNATURE SIGNING SSH SSL STORAGE SUBSCRIPTION TLS WEBHOOK AGENTOPS
    ALGOLIA ANTHROPIC ASSEMBLYAI AWS AZURE CEREBRAS CLEARML COHERE COMET DATABRICKS DATADOG DD DEEPGRAM DEEPSEEK
    ELEVENLABS FIREWORKS GCP GEMINI GITHUB GITLAB GOOGLE GROQ HELICONE HF HUGGINGFACE KAGGLE LANGCHAIN LANGFUSE
    LANGSMITH MAILGUN MAPBOX MISTRAL NEPTUNE NEWRELIC NGC NVIDIA OPENAI OPENROUTER OPENWEATHER PERPLEXITY PINECONE
    QDRANT REPLICATE ROBOFLOW SENDGRID SENTRY SERPAPI STRIPE TAVILY TOGETHER TWILIO UNSPLASH VALOHAI WANDB WEAVIATE
""")
"""Whose `_KEY` is a secret; the key of a sort, a group, a table or a dictionary is none."""

_PAT_OWNERS = _words("ADO AZURE BITBUCKET DATABRICKS DEVOPS DOCKER EXT GH GIT GITHUB GITLAB GL HUB SNOWFLAKE")
"""Whose `_PAT` is a personal access token, and not a pattern."""

_PLAIN_PASSES = _words("""
    1 2 3 BACKWARD BAND BY EACH EARLY EVAL FINAL FIRST FORWARD FULL HIGH LAST LOW MAX MULTI N NTH NUM ONE OPT PER
    SECOND SINGLE SKIP TEST THIRD TRAIN TWO
""")
"""Whose `_PASS` is a pass over something."""

_PLAIN_TOKENS = _words("""
    AUDIO BOS CLS DECODER EOS EOT END IMAGE MASK MAX MIN N NEXT NUM PAD PER PREFIX SEP SPECIAL START STOP TRIGGER
    UNK UNKNOWN VIDEO
""")
"""Whose `_TOKEN` is one of a language model."""

_DATABASES = _words("""
    AMQP BROKER CACHE CELERY CLICKHOUSE COUCHDB DATABASE DB ELASTICSEARCH MARIADB MONGO MONGODB MSSQL MYSQL NEO4J
    POSTGRES POSTGRESQL RABBITMQ REDIS SNOWFLAKE SQLALCHEMY
""")
"""Whose `_URI` and `_URL` commonly have a password in them."""

_PLAIN_ENDINGS = _words("""
    COLUMN COUNT DIM DIMS DIR ENABLED EXPIRY FIELD FILE FILES HEADER ID LEN LENGTH LIMIT MAX MIN NAME PATH PATTERN
    POLICY PREFIX REGEX SIZE SUFFIX TIMEOUT TTL TYPE
""")
"""What is said of a secret, and is none: `TOKEN_LIMIT`, `PASSWORD_FILE`. An `ACCESS_KEY_ID` belongs to its key."""


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name is secret by itself: `HF_TOKEN`, `AWS_SECRET_ACCESS_KEY`, `PGPASSWORD`.

    Words between underscores count, in any case and with digits behind them: `TOKENIZERS_PARALLELISM` is no secret.
    """
    words = [word.rstrip("0123456789") or word for word in name.upper().split("_") if word]
    while len(words) > 1 and words[-1].isdecimal():
        words.pop()
    if not words or (words[-1] in _PLAIN_ENDINGS and words[-2:] != ["KEY", "ID"]):
        return False
    return any(_is_secret_word(words, place) for place in range(len(words)))


def _is_secret_word(words: Sequence[str], place: int) -> bool:
    word, before = words[place], words[place - 1] if place else ""
    is_last = place == len(words) - 1
    return (
        word in _ALWAYS
        or word.endswith(_ENDINGS)
        or (word == "TOKEN" and before not in _PLAIN_TOKENS)
        or (word == "KEY" and before in _KEY_OWNERS)
        or (word == "STRING" and before == "CONNECTION")
        or (is_last and _is_secret_ending(word, before))
        or (word == "WEBHOOK" and words[place + 1 :] in (["URL"], ["URI"]))
    )


def _is_secret_ending(word: str, before: str) -> bool:
    return (
        word in _AT_THE_END
        or (word == "PWD" and before != "")
        or (word == "PASS" and before not in _PLAIN_PASSES and before != "")
        or (word == "PAT" and before in _PAT_OWNERS)
        or (word in ("URI", "URL") and before in _DATABASES)
    )

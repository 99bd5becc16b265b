"""One message for whatever goes wrong between here and the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import HfHubHTTPError, OIDCError

from demand.schema.errors import UserError

MEANINGS = {401: "HF_TOKEN is not valid, or there is no such Space", 402: "the account's plan does not allow this Space",
            403: "HF_TOKEN may not do this: it needs write access to the Space", 404: "there is no such Space, or HF_TOKEN does "
            "not see it", 412: "someone else has changed the Space meanwhile: run it again"}
PASSING = (408, 425, 429, 500, 502, 503, 504)


class Unreachable(UserError):
    """The Hub does not answer now; it may later."""


@contextmanager
def hub_errors(doing: str) -> Iterator[None]:
    """In the block, every error of the Hub or of the way to it becomes one UserError that begins with `doing`."""
    try:
        yield
    except UserError:
        raise
    except HfHubHTTPError as error:
        kind = Unreachable if error.response.status_code in PASSING else UserError
        raise kind(f"{doing}: the Hub answers {describe_answer(error)}") from None
    except (httpx2.TransportError, OSError) as error:
        raise Unreachable(f"{doing}: the Hub cannot be reached ({str(error) or type(error).__name__})") from None
    except (LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{doing}: the answer is none of the Hub's ({type(error).__name__})") from None
    except (OIDCError, ValueError, RuntimeError) as error:
        cause = error.__cause__
        why = describe_answer(cause) if isinstance(cause, HfHubHTTPError) else type(cause).__name__ if cause else ""
        raise UserError(" ".join(f"{doing}: {error}{f' ({why})' if why else ''}".split())) from None


def describe_answer(error: HfHubHTTPError) -> str:
    """The status, what it means here and what the Hub says; not the address, which may be a signed one."""
    status, explanation = error.response.status_code, " ".join((error.server_message or "").split())
    return ", ".join(filter(None, [str(status), MEANINGS.get(status), explanation]))

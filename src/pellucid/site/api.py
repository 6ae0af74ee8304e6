"""The JSON API under `/api/`: statements in, statements and proofs out. Everybody may ask; only parties are logged.

Errors are `{"error": {"what", "where", "remedy"}}`. `<hex>` of a log is the SHA-256 of its origin.
"""

# ruff: noqa: ARG001 - every operation of the framework takes the request
from __future__ import annotations

from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Query, Router, Schema
from ninja import Path as InPath
from ninja.errors import HttpError, ValidationError
from pydantic import ConfigDict, Field, StringConstraints

from pellucid import __version__
from pellucid.audit.portal import api as audit
from pellucid.errors import FatalError, InputError, PellucidError
from pellucid.jobs.portal import api as jobs
from pellucid.people.portal import api as people
from pellucid.people.portal import refused
from pellucid.people.portal.api import ErrorBody
from pellucid.record.lookup import UnknownLogError
from pellucid.site.answers import answers
from pellucid.site.json_bodies import JsonBodies, require_json
from pellucid.statement.dsse import Envelope

_MOST_SIZES = 1000
_MOST_STATEMENTS = 200
_SIZE = 2**63 - 1

Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
RefText = Annotated[str, StringConstraints(pattern=r"^(sha256|gitTree|statement|key|release):[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0, le=_SIZE)]
LogId = Annotated[Hex, InPath(description="SHA-256 of the log's origin")]


class Strict(Schema):
    """A request body; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class SignatureBody(Schema):
    """One signature of an envelope; `keyid` is a hint."""

    keyid: str
    sig: str


class EnvelopeBody(Schema):
    """A DSSE envelope."""

    payloadType: str  # noqa: N815 - DSSE's own name
    payload: str
    signatures: list[SignatureBody]


class PlaceBody(Schema):
    """Where a statement stands: the log's id, and the index in it."""

    log: str
    index: int


class StatementBody(Schema):
    """A statement by its id, as it was logged, and everywhere it stands."""

    id: str
    envelope: EnvelopeBody
    places: list[PlaceBody]


class StatementRow(Schema):
    """A statement in a list; `/api/statements/<id>` gives all of it."""

    id: str
    type: str
    kind: str | None
    authors: list[str]
    logged_at: str | None
    places: list[PlaceBody]


class StatementsBody(Schema):
    """Statements, newest logged first."""

    statements: list[StatementRow]


class LookupQuestion(Strict):
    """Which statements of the log `log` (its origin) below `size` concern any of `refs`."""

    log: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    size: Size
    refs: Annotated[list[RefText], Field(min_length=1, max_length=10_000)]


class EntryBody(Schema):
    """An entry of a log with the envelope in it."""

    index: int
    envelope: EnvelopeBody


class LookupBody(Schema):
    """The signed answer, the newest checkpoint known here of that log, and the statements listed."""

    completeness: EnvelopeBody
    checkpoint: str
    statements: list[EntryBody]


class KeyBody(Schema):
    """A public key: SubjectPublicKeyInfo in base64."""

    spki: str


class LogBody(Schema):
    """A log kept or mirrored here; `path` is where it is served, below the node's URL."""

    id: str
    origin: str
    own: bool
    vkey: str
    size: int | None
    path: str


class LogsBody(Schema):
    """The node's own log first, then those it mirrors."""

    logs: list[LogBody]


class SizesBody(Schema):
    """Sizes of kept checkpoints, ascending."""

    sizes: list[int]


class CheckpointBody(Schema):
    """A kept checkpoint: its size and the signed note."""

    size: int
    note: str


class ProofBody(Schema):
    """A Merkle proof (RFC 6962), hashes in hexadecimal, leaf end first."""

    proof: list[str]


class LogEntryBody(Schema):
    """An entry to the byte (base64), its leaf hash (hexadecimal), and the id of the statement in it."""

    index: int
    leaf_hash: str
    data: str
    statement: str | None


api = NinjaAPI(
    title="Pellucid",
    version=__version__,
    description=__doc__ or "",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
    parser=JsonBodies(),
)
_REFUSED: dict[int, type[Schema]] = {400: ErrorBody, 404: ErrorBody, 503: ErrorBody}
_ENVELOPE_IN = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EnvelopeBody"}}},
    }
}


@api.post(
    "/statements",
    response={
        201: EnvelopeBody,
        400: EnvelopeBody,
        403: EnvelopeBody,
        413: EnvelopeBody | ErrorBody,
        415: ErrorBody,
        503: ErrorBody,
    },
    openapi_extra=_ENVELOPE_IN,
    summary="Submit a statement",
)
def submit(request: HttpRequest) -> HttpResponse:
    """Log an accredited party's signed statement; the answer is a signed receipt, also for a refusal."""
    require_json(request)
    receipt, status = answers().submit(request.body)
    return _envelope_response(receipt, status)


@api.get("/statements", response={200: StatementsBody, **_REFUSED}, summary="Statements about a thing")
def statements(
    request: HttpRequest,
    ref: Annotated[RefText, Query(description="what they are about: kind:sha256")],
    type: Annotated[str | None, Query(max_length=500, description="only this predicate type")] = None,  # noqa: A002 - as in the query
    limit: Annotated[int, Query(ge=1, le=_MOST_STATEMENTS)] = 100,
) -> dict[str, Any]:
    """List statements that concern a reference, as this node's index has them; `/api/lookup` signs its answer."""
    return {"statements": answers().about(ref, type, limit)}


@api.get("/statements/{statement}", response={200: StatementBody, **_REFUSED}, summary="One statement")
def statement(request: HttpRequest, statement: Annotated[Hex, InPath()]) -> dict[str, Any]:
    """Give a statement by its id."""
    found: dict[str, Any] = _found(answers().statement(statement), "no such statement is known here")
    return found


@api.post(
    "/lookup",
    response={200: LookupBody, 400: ErrorBody, 404: ErrorBody, 415: ErrorBody, 503: ErrorBody},
    summary="A signed answer to: what does this log say?",
)
def lookup(request: HttpRequest, question: LookupQuestion) -> dict[str, Any]:
    """Say, signed with the look-up key, exactly which statements of a log concern any of the references."""
    answer = answers().lookup(question.refs, question.log, question.size)
    return {
        "completeness": answer.completeness.as_json(),
        "checkpoint": answer.checkpoint.decode(),
        "statements": [
            {"index": index, "envelope": Envelope.parse(data, where=f"entry {index}").as_json()}
            for index, data in answer.entries
        ],
    }


@api.get("/card", response={200: EnvelopeBody}, summary="The node's card")
def card(request: HttpRequest) -> HttpResponse:
    """Give the node's own word on who it is, with its public keys; compare its fingerprint with the operator."""
    return _envelope_response(answers().card(), 200)


@api.get("/keys/{key}", response={200: KeyBody, **_REFUSED}, summary="A public key")
def key(request: HttpRequest, key: Annotated[Hex, InPath()]) -> dict[str, Any]:
    """Give a key by its id, the SHA-256 of its SubjectPublicKeyInfo."""
    public = _found(answers().key(key), "no such key is known here")
    return {"spki": public.spki_base64}


@api.get("/logs", response=LogsBody, summary="The logs kept and mirrored here")
def logs(request: HttpRequest) -> dict[str, Any]:
    """List the logs of this node."""
    return {"logs": answers().logs()}


@api.get("/logs/{log}/checkpoints", response={200: SizesBody, **_REFUSED}, summary="Kept checkpoints")
def checkpoints(
    request: HttpRequest,
    log: LogId,
    after: Annotated[int, Query(ge=-1, le=_SIZE)] = -1,
    limit: Annotated[int, Query(ge=1, le=_MOST_SIZES)] = 500,
) -> dict[str, Any]:
    """List the sizes of the checkpoints that are kept for ever, from the first one above `after`."""
    return {"sizes": _found(answers().kept(log, after, limit), "no such log is here")}


@api.get(
    "/logs/{log}/checkpoints/covering/{index}",
    response={200: CheckpointBody, **_REFUSED},
    summary="The checkpoint that dates an entry",
)
def covering(request: HttpRequest, log: LogId, index: Annotated[Size, InPath()]) -> dict[str, Any]:
    """Give the first kept checkpoint that covers an entry, with its cosignatures."""
    size, note = _found(answers().covering(log, index), "no checkpoint covers that entry yet")
    return {"size": size, "note": note.decode()}


@api.get("/logs/{log}/inclusion", response={200: ProofBody, **_REFUSED}, summary="An inclusion proof")
def inclusion(
    request: HttpRequest, log: LogId, index: Annotated[Size, Query()], size: Annotated[Size, Query()]
) -> dict[str, Any]:
    """Prove that an entry is in the tree of `size` entries."""
    return {"proof": list(_found(answers().inclusion(log, index, size), "there is no such entry in such a tree"))}


@api.get("/logs/{log}/consistency", response={200: ProofBody, **_REFUSED}, summary="A consistency proof")
def consistency(
    request: HttpRequest, log: LogId, old: Annotated[Size, Query()], new: Annotated[Size, Query()]
) -> dict[str, Any]:
    """Prove that the tree of `new` entries begins with that of `old`."""
    return {"proof": list(_found(answers().consistency(log, old, new), "there are no such trees"))}


@api.get("/logs/{log}/entries/{index}", response={200: LogEntryBody, **_REFUSED}, summary="One entry")
def entry(request: HttpRequest, log: LogId, index: Annotated[Size, InPath()]) -> dict[str, Any]:
    """Give an entry under the published head."""
    found: dict[str, Any] = _found(answers().entry(log, index), "there is no such entry")
    return found


everything_else = Router()


@everything_else.api_operation(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], "/{path:rest}", include_in_schema=False
)
def nothing(request: HttpRequest, rest: str) -> None:
    """Answer every other path."""
    raise Http404("there is nothing here; /api/openapi.json lists what there is")


api.add_router("", people.router)
api.add_router("", audit.router)
api.add_router("", jobs.router)
api.add_router("", everything_else)  # last: it takes every path


@api.exception_handler(refused.RefusedError)
def _on_obstacle(request: HttpRequest, error: refused.RefusedError) -> HttpResponse:
    return api.create_response(request, refused.as_json(request, error.refusal), status=error.refusal.status)


@api.exception_handler(ValidationError)
def _on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0] if error.errors else {}
    steps = [str(step) for step in first.get("loc", ())]
    where = ".".join(steps[:1] + steps[2:] if steps[:1] == ["body"] else steps)[:200] or request.path
    return _error(request, 400, str(first.get("msg", "it cannot be read"))[:300], where, "see /api/openapi.json")


@api.exception_handler(PellucidError)
def _on_error(request: HttpRequest, error: PellucidError) -> HttpResponse:
    if isinstance(error, FatalError):
        raise error
    status = 503
    if isinstance(error, InputError):
        status = 404 if isinstance(error, UnknownLogError) else 400
    return _error(request, status, error.what, error.where, error.remedy)


@api.exception_handler(Http404)
def _on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(request, 404, str(error) or "there is nothing here", request.path, None)


@api.exception_handler(HttpError)
def _on_refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    error = error.__cause__ if isinstance(error.__cause__, HttpError) else error  # what a parser said, not around it
    return _error(request, error.status_code, str(error), request.path, "see /api/openapi.json")


def _error(request: HttpRequest, status: int, what: str, where: str | None, remedy: str | None) -> HttpResponse:
    body = {"error": {"what": what, "where": where, "remedy": remedy}}
    return api.create_response(request, body, status=status)


def _envelope_response(envelope: Envelope, status: int) -> HttpResponse:
    return HttpResponse(envelope.to_bytes(), status=status, content_type="application/json")


def _found(value: Any, otherwise: str) -> Any:
    if value is None:
        raise Http404(otherwise)
    return value

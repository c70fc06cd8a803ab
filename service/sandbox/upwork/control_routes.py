"""`/_control` calls of the Upwork sandbox alone: contracts, offers, tokens, any webhook; and its files."""

from typing import Any

import orjson
from aiohttp import web

from service.sandbox.control import CONTROL, control_answer, control_body
from service.sandbox.upwork.account import UpworkAccount
from service.sandbox.upwork.intake import Unusable
from service.sandbox.upwork.records import Contract
from service.sandbox.upwork.tokens import Tokens


def add_upwork_control(app: web.Application, account: UpworkAccount, tokens: Tokens) -> None:
    async def create(request: web.Request) -> web.Response:
        body = await control_body(request)
        try:
            contract = account.take_contract(body)
        except Unusable as unusable:
            raise refused(web.HTTPBadRequest, str(unusable)) from None
        delivery = account.accept_offer(contract) if body.get("offer", True) else None
        return control_answer(_ids(contract, delivery), status=201)

    async def offer(request: web.Request) -> web.Response:
        contract = _contract(request, account)
        return control_answer(_ids(contract, account.accept_offer(contract)))

    async def activate(request: web.Request) -> web.Response:
        contract = _contract(request, account)
        return control_answer(_ids(contract, account.activate(contract)))

    async def end(request: web.Request) -> web.Response:
        contract = _contract(request, account)
        ended_at = (await control_body(request)).get("endedAt", account.clock.epoch())
        return control_answer(_ids(contract, account.end(contract, ended_at)))

    async def emit(request: web.Request) -> web.Response:
        body = await control_body(request)
        if not isinstance(body.get("type"), str):
            raise refused(web.HTTPBadRequest, "an event has a type")
        return control_answer({"delivery": {"id": account.emit(body["type"], body.get("data"))}})

    async def expire(request: web.Request) -> web.Response:
        return control_answer({"expired": tokens.expire_access_tokens()})

    async def revoke(request: web.Request) -> web.Response:
        return control_answer({"revoked": tokens.revoke_all()})

    async def file(request: web.Request) -> web.Response:
        held = account.state.files.get(request.match_info["id"])
        if held is None:
            raise web.HTTPNotFound
        return web.Response(body=held.content, headers={"Content-Type": held.content_type})

    app.add_routes(
        [
            web.post(f"{CONTROL}/contracts", create),
            web.post(f"{CONTROL}/contracts/{{id}}/offer", offer),
            web.post(f"{CONTROL}/contracts/{{id}}/activate", activate),
            web.post(f"{CONTROL}/contracts/{{id}}/end", end),
            web.post(f"{CONTROL}/emit", emit),
            web.post(f"{CONTROL}/tokens/expire", expire),
            web.post(f"{CONTROL}/tokens/revoke", revoke),
            web.get("/files/{id}/{name}", file),
        ]
    )


def refused(kind: type[web.HTTPClientError], message: str) -> web.HTTPClientError:
    """The shape of the shared control calls' own refusals."""
    body = orjson.dumps({"message": message, "error_code": "bad_control"})
    return kind(text=body.decode(), content_type="application/json")


def _contract(request: web.Request, account: UpworkAccount) -> Contract:
    contract = account.contract(request.match_info["id"])
    if contract is None:
        raise refused(web.HTTPNotFound, f"no contract {request.match_info['id']}")
    return contract


def _ids(contract: Contract, delivery: str | None) -> dict[str, Any]:
    return {
        "contract": {"id": contract.id},
        "freelancer": {"id": contract.freelancer_id},
        "offer": {"id": contract.offer_id},
        "delivery": delivery and {"id": delivery},
    }

"""``GET /api/hub``: fetch a model of the Hugging Face hub by its id, where the service is allowed to."""

from typing import Annotated

from fastapi import FastAPI, Query, Request, Response

from sizewise.service.answerer import Answerer
from sizewise.web.held import held
from sizewise.web.queries import unfit_query

Id = Annotated[
    str,
    Query(
        alias="id",
        min_length=3,
        max_length=400,
        description="org/name, with @revision and :file where they are meant.",
        examples=["openai-community/gpt2"],
    ),
]


def add_hub(app: FastAPI, answerer: Answerer) -> None:
    """Add ``/api/hub``, the only route that opens connections."""

    async def fetch(request: Request, name: Id) -> Response:
        return unfit_query(request, {"id"}) or await held(answerer.fetch(name))

    app.add_api_route(
        "/api/hub",
        fetch,
        methods=["GET"],
        operation_id="get_hub",
        summary="Fetch a model of the hub by its id: its configuration and its headers, without a token.",
        description="The model is held for a while; name it as model=hub:org/name in any question.",
        response_class=Response,
        responses={502: {}},
    )

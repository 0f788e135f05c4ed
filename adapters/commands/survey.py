"""`surveybot survey`: who may see a survey's numbers beside its owner and its brand's administrators (FEATURES D6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from adapters import logs
from adapters.core import open_core, utc_now
from adapters.settings import Settings
from bot.errors import UserError
from bot.ports import UnitOfWork

app = typer.Typer(no_args_is_help=True, help="Who may see the numbers of a survey beside its owner and the brand's administrators.")
#: The audit trail: ids only.
log = logging.getLogger(__name__)

T = TypeVar("T")


def _address(text: str) -> str:
    name, _, domain = text.rpartition("@")
    if not (name and domain) or text.split() != [text]:
        raise typer.BadParameter("must be an e-mail address, such as ada@example.com")
    return text.lower()


_Survey = Annotated[str, typer.Argument(metavar="SURVEY", help="Its id, SV_..., as it stands in the address of the survey in Qualtrics.")]
_Person = Annotated[str, typer.Argument(metavar="PERSON", help="Their e-mail address, as their chat account has it.", parser=_address)]


@app.command()
def share(survey: _Survey, person: _Person) -> None:
    """Let somebody see a survey's numbers, until it is unshared."""

    def work(uow: UnitOfWork) -> tuple[int, bool]:
        person_id = uow.people.ids([person])[person]
        if not uow.grants.share(survey, person_id, utc_now()):
            raise UserError(f"No connected Qualtrics has a survey {survey}. Ids begin with SV_; a new one is known after the next look.")
        return person_id, bool(uow.members.by_email(person))

    person_id, is_known = _with_store(work)
    log.info("survey.shared", extra={"survey": survey, "person": person_id})
    typer.echo(f"{person} may see the numbers of {survey}." + ("" if is_known else " No chat account with this address is known yet."))


@app.command()
def unshare(survey: _Survey, person: _Person) -> None:
    """Take that back. Owners and brand administrators go on seeing the survey: that is decided in Qualtrics."""

    def work(uow: UnitOfWork) -> int:
        person_id = uow.people.find(person)
        if person_id is None or not uow.grants.unshare(survey, person_id):
            raise UserError(f"{survey} is not shared with {person}. `surveybot survey shares {survey}` lists with whom it is.")
        return person_id

    log.info("survey.unshared", extra={"survey": survey, "person": _with_store(work)})
    typer.echo(f"{survey} is not shared with {person} any more.")


@app.command()
def shares(survey: _Survey) -> None:
    """List with whom a survey is shared."""
    people = _with_store(lambda uow: uow.grants.shared_with(survey))
    typer.echo("\n".join(people) if people else f"{survey} is shared with nobody.")


def _with_store(work: Callable[[UnitOfWork], T]) -> T:
    settings = Settings.load()
    logs.configure(settings.log_level)

    async def run() -> T:
        async with open_core(settings) as core:
            return await core.store.write(work)

    return asyncio.run(run())

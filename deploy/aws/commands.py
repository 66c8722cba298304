"""The commands of `python -m deploy` on AWS."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from deploy import costs, probes, search_probe
from deploy.aws import report
from deploy.aws.assembly import search, stages
from deploy.aws.endpoints import Endpoint
from deploy.aws.errors import translate_errors
from deploy.aws.leftovers import leftovers, merge_stages
from deploy.aws.quotas import quotas
from deploy.aws.reconcile import Description, Echo, Reconciler, Resource, State
from deploy.aws.search import Domain
from deploy.aws.search_users import SearchUser, create_search_users, search_users
from deploy.aws.session import AwsSession
from deploy.stack import Stack, settings
from rag.errors import DeployError

UP_STATES = (State.READY, State.DIFFERENT)


@dataclass
class Deployment:
    """One stack in one account. All commands are idempotent. They raise DeployError and SettingsError."""

    stack: Stack
    aws: AwsSession
    echo: Echo = print
    sleep: Callable[[float], None] = time.sleep
    create_users: Callable[[search_probe.Server, Iterable[SearchUser]], Iterator[str]] = create_search_users
    stack_option: str = ""
    """Appended to commands that messages suggest, such as ` --stack FILE`."""

    @cached_property
    def stages(self) -> list[list[Resource]]:
        """The stack file's resources in order of creation."""
        return stages(self.aws, self.stack)

    @cached_property
    def prices(self) -> list[costs.Cost]:
        """The cost of each billed resource."""
        return costs.costs(self.stack, self.aws.region)

    def plan(self) -> None:
        """Print what `up` would do, its cost and the quotas. Changes nothing.

        Models and cost are printed even if AWS refuses the requests: one needs them to ask for an account.
        """
        try:
            more = [each for stage in leftovers(self.aws, self.stages) for each in stage]
            described, allowed = self._describe(), quotas(self.aws, self.stack)
        except DeployError:
            self._print("models:", report.models(self.stack))
            self._print("cost:", report.cost_table(self.prices, self.stack))
            raise
        self._print(f"stack {self.stack.name!r} in {self.aws.region}:", report.actions(described, more))
        self._print("models:", report.models(self.stack))
        self._print("quotas:", report.quota_lines(allowed, self.aws.region))
        self._print("cost:", report.cost_table(self.prices, self.stack))

    def up(self, *, yes_over_budget: bool = False) -> None:
        """Create and change resources, wait for them, and send one request to each endpoint.

        An endpoint that is InService may still be unable to answer.
        """
        self._check_budget(yes_over_budget)
        described = self._describe()
        self._check_names(described)
        self._check_quotas(described)
        reconciler = Reconciler(self.echo, self.sleep)
        reconciler.up(self.stages)
        reconciler.down(leftovers(self.aws, self.stages))
        self._make_search_users()
        for line in probes.probe(self.stack, self.aws.region, first=True):
            self.echo(line)
        self.echo(f"up: {self._per_hour()}; next: {self._command_line('test')}, then {self._command_line('env')}")

    def status(self) -> None:
        """Print the state, creator, age and console links of each resource, and the cost so far."""
        described = self._describe()
        for resource, description in described:
            by = f", created by {description.created_by}" if description.created_by else ""
            old = f", {report.age(description.created):.1f} h old" if description.created else ""
            self.echo(f"{description.state.value:11} {resource}{by}{old}")
            if why := description.detail if description.state is State.FAILED else description.rolled_back:
                self.echo(f"{'':12}{why}")
            if isinstance(resource, Endpoint) and description.state is not State.ABSENT:
                self.echo(f"{'':12}{resource.page_link()}")
            if (link := resource.link()) and description.state is not State.ABSENT:
                self.echo(f"{'':12}{link}")
        self.echo(
            f"{self._per_hour()}; so far {report.usd(self._cost_so_far(described), 2)} USD by age and list price, "
            "without the hours that a schedule saves"
        )

    def test(self) -> None:
        """Send requests to all endpoints and to the search server as the chatbot does."""
        self._require_up()
        for line in probes.probe(self.stack, self.aws.region):
            self.echo(line)
        if self.stack.opensearch:
            for line in search_probe.probe(self._server("ingest")):
                self.echo(line)
        if "page" in search_users(self.aws, self.stack):
            for line in search_probe.probe_page(self._server("page")):
                self.echo(line)

    def env(self, *, page: bool = False) -> None:
        """Print shell commands that set the chatbot's settings; the password is read by a command in them, not printed.

        `page`: use the search user that can only search instead of the one that can also ingest.
        """
        self._require_up()
        with translate_errors("the domain", self.aws.region):
            search_settings = list(self._search_settings())
            user = search_users(self.aws, self.stack).get("page" if page else "ingest")
        for name, value in (("AWS_DEFAULT_REGION", self.aws.region), *settings(self.stack), *search_settings):
            self.echo(f"export {name}={shlex.quote(value)}")
        if user:
            self.echo(f"export FSI_OPENSEARCH__USER={shlex.quote(user.name)}")
            secret = user.password.name
            read = shlex.join([sys.executable, "-m", "deploy.secret", secret, "--region", self.aws.region])
            self.echo(f'export FSI_OPENSEARCH__PASSWORD="$({read})"')

    def down(self) -> None:
        """Delete all resources of the stack, also unfinished ones and those of earlier stack files, then check again."""
        everything = merge_stages(self.stages, leftovers(self.aws, self.stages))
        Reconciler(self.echo, self.sleep).down(everything)
        left = [each for stage in leftovers(self.aws, [[]]) for each in stage]
        if left:
            raise DeployError(f"not deleted: {', '.join(map(str, left))}; run {self._command_line('down')} again")
        self.echo("nothing is left")

    def _describe(self) -> list[tuple[Resource, Description]]:
        described = []
        for resource in (each for stage in self.stages for each in stage):
            with translate_errors(str(resource), self.aws.region):
                described.append((resource, resource.describe()))
        return described

    def _check_budget(self, over: bool) -> None:
        budget, month = self.stack.budget, costs.total(self.prices, "most")
        if budget and not over and (month is None or month > budget.monthly_usd):
            raise DeployError(
                f"up to {report.usd(month)} USD a month is more than the budget of {report.usd(budget.monthly_usd)}; "
                "`plan` shows the costs, `up --yes-over-budget` continues"
            )

    def _check_names(self, described: list[tuple[Resource, Description]]) -> None:
        """Raise DeployError for names in use by others, before a resource is created and billed."""
        if taken := [
            str(resource)
            for resource, description in described
            if description.state is State.NOT_OURS and not resource.shared
        ]:
            raise DeployError(
                f"{', '.join(taken)}: the name is in use by a resource without this stack's tag fsi-stack; "
                "choose another name in the stack file. Nothing was created or changed"
            )

    def _check_quotas(self, described: list[tuple[Resource, Description]]) -> None:
        """Raise DeployError for too small quotas if an endpoint is to be created; running ones have their instances."""
        missing = any(
            isinstance(each, Endpoint) and description.state is State.ABSENT for each, description in described
        )
        small = [quota for quota in quotas(self.aws, self.stack) if quota.too_small] if missing else []
        if small:
            lines = "; ".join(line.strip() for line in report.quota_lines(small, self.aws.region))
            raise DeployError(f"the account's quotas are too small: {lines}. Nothing was created")

    def _require_up(self) -> None:
        for resource, description in self._describe():
            if isinstance(resource, Endpoint | Domain) and description.state not in UP_STATES:
                note = "; the schedule deletes it outside its hours" if self.stack.schedule else ""
                raise DeployError(f"{resource} is {description.state.value}{note}; run {self._command_line('up')}")

    def _search_settings(self) -> Iterator[tuple[str, str]]:
        domain, password = search(self.aws, self.stack)
        if not domain or not self.stack.opensearch:
            return
        yield "FSI_STORE__BACKEND", "opensearch"
        yield "FSI_OPENSEARCH__URL", domain.address()
        yield "FSI_OPENSEARCH__ENGINE", self.stack.opensearch.engine
        yield "FSI_OPENSEARCH__REGION", self.aws.region
        yield "FSI_OPENSEARCH__AUTH", "basic" if password else "sigv4"

    def _make_search_users(self) -> None:
        if not (users := search_users(self.aws, self.stack)):
            return
        try:
            with translate_errors("the domain's users", self.aws.region):
                for line in self.create_users(self._server("master"), users.values()):
                    self.echo(line)
        except search_probe.Unreachable as exc:
            # The domain may admit only the page's machines; the endpoints work all the same.
            self.echo(
                f"the search users were not created: {exc}; run {self._command_line('up')} again where it can be reached"
            )

    def _server(self, purpose: str) -> search_probe.Server:
        """The search server with the credentials for `purpose`: "master", "ingest" or "page"."""
        domain, password = search(self.aws, self.stack)
        assert domain and self.stack.opensearch
        with translate_errors(str(domain), self.aws.region):
            if password and purpose == "master":
                return search_probe.Server(domain.address(), self.stack.opensearch.user, password.read()[0])
            if user := search_users(self.aws, self.stack).get(purpose):
                return search_probe.Server(domain.address(), user.name, user.password.read()[0])
            credentials = self.aws.boto3_session.get_credentials()
            return search_probe.Server(domain.address(), region=self.aws.region, credentials=credentials)

    def _cost_so_far(self, described: list[tuple[Resource, Description]]) -> float | None:
        hours = {line.item: line.hour for line in self.prices}
        spent = [
            (hours.get(str(resource), 0.0), report.age(description.created)) for resource, description in described
        ]
        return None if any(price is None for price, _ in spent) else sum((price or 0.0) * age for price, age in spent)

    def _command_line(self, command: str) -> str:
        """The command with the option that selects this stack, for messages."""
        return f"`python -m deploy {command}{self.stack_option}`"

    def _per_hour(self) -> str:
        return f"{report.usd(costs.total(self.prices, 'hour'), 2)} USD an hour while it runs"

    def _print(self, title: str, lines: Iterator[str]) -> None:
        self.echo(title)
        for line in lines:
            self.echo(line)

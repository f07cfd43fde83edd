"""Where each goal stands, asked from the goal itself: what satisfies it is not looked behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockerbuild_lib.plan.inventory import Inventory, PackageVersion, Published
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.products import Goal
from dockerbuild_lib.plan.request import Request
from dockerbuild_lib.plan.steps import Status


@dataclass(frozen=True)
class PlannedGoal:
    """A wheel of the request and where it stands."""

    goal: Goal
    status: Status
    why: str
    key: ContentKey | None = None
    """Of the result that satisfies it already, where that lies in the work area."""
    publish: bool = False
    """Whether the run is to publish it."""

    @property
    def result(self) -> Goal:
        """The goal under the key of the result that stands for it, now or after the run."""
        return replace(self.goal, key=self.key) if self.key else self.goal


def judge(
    goal: Goal, request: Request, published: Mapping[PackageVersion, Published], inventory: Inventory
) -> PlannedGoal:
    """Say where a goal stands: published, built, from which recipe and environment."""
    there = published.get(PackageVersion(goal.package, goal.version_text))
    if there and request.upload and goal.key.recipe not in there.recipe_keys:
        return PlannedGoal(goal, Status.CONFLICT, f"published as {there.instance_id} from another recipe")
    if request.rebuild:
        return PlannedGoal(goal, Status.TO_DO, "a rebuild was asked for", publish=request.upload)
    if there and goal.key.full in there.content_keys:
        return PlannedGoal(goal, Status.HIT, f"published as {there.instance_id}")
    if there and goal.key.recipe in there.recipe_keys:
        why = f"published as {there.instance_id}, from the same recipe in an older environment; --rebuild renews it"
        return PlannedGoal(goal, Status.OLDER, why)
    return _judge_local(goal, request, inventory, elsewhere=there is not None)


def _judge_local(goal: Goal, request: Request, inventory: Inventory, *, elsewhere: bool) -> PlannedGoal:
    """Judge a goal that is not published, or (*elsewhere*) only from another recipe, by the work area."""
    same_recipe = [key for key in inventory.built(goal) if key.recipe == goal.key.recipe]
    if not same_recipe:
        why = "changed since it was published" if elsewhere else "never built from this recipe"
        return PlannedGoal(goal, Status.TO_DO, why, publish=request.upload)
    exact = goal.key in same_recipe
    if request.upload:
        key = goal.key if exact else same_recipe[0]
        return PlannedGoal(goal, Status.TO_DO, "built, but not published", key, publish=True)
    if exact:
        return PlannedGoal(goal, Status.HIT, "built; its wheel is in the work area", goal.key)
    why = "built, from the same recipe in an older environment; --rebuild renews it"
    return PlannedGoal(goal, Status.OLDER, why, same_recipe[0])

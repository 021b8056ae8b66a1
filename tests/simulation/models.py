"""Models that several tests use."""

from typing import Any

from cellwright.simulation import (
    Model,
    erlang,
    exponential,
    gamma,
    lognormal,
    normal,
    pert,
    triangular,
    uniform,
    weibull,
)


def everything() -> Model:
    """One model with every kind of step, every kind of wait and most distributions."""
    m = Model("everything")
    m.resource("bioreactor", 3)
    m.resource("operator", 2, calendar=[(0, 2), (16, 1)], period=24)
    m.resource("suite", 2)
    m.resource("machine", 1)
    m.stock("kit", 5)
    m.breakdown("bioreactor", exponential(200), lognormal(10, 5))
    m.breakdown("machine", exponential(100), gamma(2.0, 3.0), interrupts=False)
    lot = m.process("lot", arrivals=gamma(0.7, 12.0), priority=2)
    lot.stamp("expiry", plus=48).acquire({"bioreactor": 1, "operator": 1}, deadline="expiry", otherwise="lost")
    lot.delay(triangular(1, 2, 4)).release("operator").take("kit").delay(pert(10, 20, 40))
    lot.label("again").acquire("operator").delay(0.5).release("operator").branch(0.2, "again")
    lot.split("sample", 2).release("bioreactor", cleaning=weibull(2, 2.0)).join()
    lot.set("grade", uniform(0, 1)).add("grade", 1.0).test("grade", ">", 1.8, "careful")
    lot.acquire("machine", preempt=True).delay(normal(3, 1), interruptible="machine").release("machine").jump("done")
    lot.label("careful").stamp("until", plus=4).priority(0).use("machine", 1.0).wait_until("until")
    lot.label("done").measure("turnaround").count("made").end()
    lot.label("lost").count("lost").end()
    lot.label("sample").batch("run", 2, within=5).use("suite", erlang(3, 4.0)).unbatch().end()
    urgent = m.process("urgent", arrivals=exponential(60))
    urgent.acquire("machine", preempt=True).delay(uniform(1, 5), interruptible="machine").release("machine")
    walk_in = m.process("walk_in", arrivals=exponential(30), priority=5)
    walk_in.acquire("suite", patience=exponential(2), otherwise="away").delay(1.0).release("suite").label("away")
    m.process("supply", arrivals=20.0).put("kit", 2)
    return m


def station(servers: int, arrivals: Any, service: Any) -> Model:
    """One station."""
    m = Model("station")
    m.resource("server", servers)
    m.process("customer", arrivals=arrivals).use("server", service)
    return m

"""The CAR-T line and the Jackson network of the simulation benchmark, written for SimPy and for cimba."""

from __future__ import annotations

import random as chance
from collections.abc import Generator
from typing import Any

import cimba as cb
import simpy
from cimba import random

from cellwright.simulation import Model, ModelData, exponential

UNITS = {"operator": 42, "hood": 7, "selector": 6, "bioreactor": 290, "freezer": 4, "analyst": 65, "qualified": 3}
BETWEEN = 0.876


class Watched(simpy.Resource):
    """A resource of SimPy that keeps what ours keeps of each: use and queue over time, waits."""

    def __init__(self, env: simpy.Environment, capacity: int) -> None:
        super().__init__(env, capacity)
        self.last = self.used = self.queued = self.waited = 0.0
        self.served = 0

    def touch(self) -> None:
        """Bring the integrals up to now."""
        now = self._env.now
        self.used += (now - self.last) * len(self.users)
        self.queued += (now - self.last) * len(self.queue)
        self.last = now

    def _do_put(self, event: Any) -> Any:
        self.touch()
        got = super()._do_put(event)
        if event.triggered:
            self.served += 1
            self.waited += self._env.now - event.usage_since
        return got

    def _do_get(self, event: Any) -> Any:
        self.touch()
        return super()._do_get(event)


class SimpyLine:
    """The CAR-T line as SimPy processes."""

    def __init__(self, seed: int, until: float) -> None:
        self.random = chance.Random(seed)
        self.env = simpy.Environment()
        self.at = {name: Watched(self.env, units) for name, units in UNITS.items()}
        self.done, self.total, self.events = 0, 0.0, 0
        self.env.process(self.arrivals())
        self.env.run(until)

    def arrivals(self) -> Generator[Any, Any, None]:
        while True:
            yield self.env.timeout(self.random.expovariate(1 / BETWEEN))
            self.events += 1
            self.env.process(self.patient())

    def step(self, low: float, mode: float, high: float) -> Any:
        self.events += 1
        return self.env.timeout(self.random.triangular(low, high, mode))

    def clean(self, unit: Any, request: Any) -> Generator[Any, Any, None]:
        yield self.step(3, 4, 6)
        unit.release(request)

    def patient(self) -> Generator[Any, Any, None]:
        at, env, born = self.at, self.env, self.env.now
        with at["operator"].request() as a:
            yield a
            yield self.step(0.5, 1, 2)
        with at["operator"].request() as a, at["hood"].request() as b:
            yield a
            yield b
            yield self.step(1, 2, 3)
        with at["operator"].request() as a, at["selector"].request() as b:
            yield a
            yield b
            yield self.step(2, 3, 5)
        reactor = at["bioreactor"].request()
        yield reactor
        for low, mode, high in ((1, 1.5, 2.5), (0.5, 1, 2)):
            with at["operator"].request() as a:
                yield a
                yield self.step(low, mode, high)
        yield self.step(168, 216, 264)
        with at["operator"].request() as a:
            yield a
            yield self.step(0.25, 0.5, 1)
        with at["operator"].request() as a, at["operator"].request() as b:
            yield a
            yield b
            yield self.step(3, 4, 6)
        env.process(self.clean(at["bioreactor"], reactor))
        with at["operator"].request() as a, at["hood"].request() as b:
            yield a
            yield b
            yield self.step(1, 2, 3)
        with at["freezer"].request() as a:
            yield a
            yield self.step(1.5, 2, 3)
        while True:
            with at["analyst"].request() as a:
                yield a
                yield self.step(24, 48, 72)
            if self.random.random() >= 0.05:
                break
        with at["qualified"].request() as a:
            yield a
            yield self.step(0.5, 1, 2)
        self.done += 1
        self.total += env.now - born


class Cleaning(cb.Model):
    """A bioreactor that is cleaned after its patient."""

    bioreactor: cb.Ref[cb.Resource]

    @cb.process
    def clean(self):
        self.bioreactor.acquire(1)
        cb.hold(random.triangular(3.0, 4.0, 6.0))
        self.bioreactor.release(1)
        cb.release(self)


class Patient(cb.Model):
    """A patient of the CAR-T line."""

    operator: cb.Ref[cb.Resource]
    hood: cb.Ref[cb.Resource]
    selector: cb.Ref[cb.Resource]
    bioreactor: cb.Ref[cb.Resource]
    freezer: cb.Ref[cb.Resource]
    analyst: cb.Ref[cb.Resource]
    qualified: cb.Ref[cb.Resource]

    @cb.process
    def journey(self):
        self.operator.acquire(1)
        cb.hold(random.triangular(0.5, 1.0, 2.0))
        self.operator.release(1)
        self.operator.acquire(1)
        self.hood.acquire(1)
        cb.hold(random.triangular(1.0, 2.0, 3.0))
        self.hood.release(1)
        self.operator.release(1)
        self.operator.acquire(1)
        self.selector.acquire(1)
        cb.hold(random.triangular(2.0, 3.0, 5.0))
        self.selector.release(1)
        self.operator.release(1)
        self.bioreactor.acquire(1)
        self.operator.acquire(1)
        cb.hold(random.triangular(1.0, 1.5, 2.5))
        self.operator.release(1)
        self.operator.acquire(1)
        cb.hold(random.triangular(0.5, 1.0, 2.0))
        self.operator.release(1)
        cb.hold(random.triangular(168.0, 216.0, 264.0))
        self.operator.acquire(1)
        cb.hold(random.triangular(0.25, 0.5, 1.0))
        self.operator.release(1)
        self.operator.acquire(2)
        cb.hold(random.triangular(3.0, 4.0, 6.0))
        self.operator.release(2)
        self.bioreactor.release(1)
        self.operator.acquire(1)
        self.hood.acquire(1)
        cb.hold(random.triangular(1.0, 2.0, 3.0))
        self.hood.release(1)
        self.operator.release(1)
        self.freezer.acquire(1)
        cb.hold(random.triangular(1.5, 2.0, 3.0))
        self.freezer.release(1)
        while True:
            self.analyst.acquire(1)
            cb.hold(random.triangular(24.0, 48.0, 72.0))
            self.analyst.release(1)
            if random.uniform(0.0, 1.0) >= 0.05:
                break
        self.qualified.acquire(1)
        cb.hold(random.triangular(0.5, 1.0, 2.0))
        self.qualified.release(1)
        cb.release(self)


class CimbaLine(cb.Model):
    """The CAR-T line for cimba."""

    operator: cb.Resource = cb.Resource(capacity=UNITS["operator"])
    hood: cb.Resource = cb.Resource(capacity=UNITS["hood"])
    selector: cb.Resource = cb.Resource(capacity=UNITS["selector"])
    bioreactor: cb.Resource = cb.Resource(capacity=UNITS["bioreactor"])
    freezer: cb.Resource = cb.Resource(capacity=UNITS["freezer"])
    analyst: cb.Resource = cb.Resource(capacity=UNITS["analyst"])
    qualified: cb.Resource = cb.Resource(capacity=UNITS["qualified"])
    busy: cb.Output[float]

    @cb.process
    def arrivals(self):
        while True:
            cb.hold(random.exponential(0.876))
            cb.spawn(
                Patient,
                operator=self.operator,
                hood=self.hood,
                selector=self.selector,
                bioreactor=self.bioreactor,
                freezer=self.freezer,
                analyst=self.analyst,
                qualified=self.qualified,
            )

    @cb.on_end
    def figures(self):
        self.busy = self.bioreactor.mean_in_use()


SERVERS, SERVICE, STAY = (4, 6, 10), (0.8, 1.2, 2.0), 0.5
"""Three stations in a ring, load 0.8 each: after the third, half of the customers go round again."""
GAP = 0.5


def network() -> ModelData:
    """The network for ours."""
    m = Model("network")
    for k, servers in enumerate(SERVERS):
        m.resource(f"s{k}", servers)
    p = m.process("customer", arrivals=exponential(GAP)).label("again")
    for k, service in enumerate(SERVICE):
        p.use(f"s{k}", exponential(service))
    p.branch(STAY, "again").measure("stay")
    return m.data()


class SimpyNetwork:
    """The network as SimPy processes."""

    def __init__(self, seed: int, until: float) -> None:
        self.random = chance.Random(seed)
        self.env = simpy.Environment()
        self.at = [Watched(self.env, servers) for servers in SERVERS]
        self.done, self.total = 0, 0.0
        self.env.process(self.arrivals())
        self.env.run(until)

    def arrivals(self) -> Generator[Any, Any, None]:
        while True:
            yield self.env.timeout(self.random.expovariate(1 / GAP))
            self.env.process(self.customer())

    def customer(self) -> Generator[Any, Any, None]:
        born = self.env.now
        while True:
            for station, service in zip(self.at, SERVICE, strict=True):
                with station.request() as place:
                    yield place
                    yield self.env.timeout(self.random.expovariate(1 / service))
            if self.random.random() >= STAY:
                break
        self.done += 1
        self.total += self.env.now - born


class Customer(cb.Model):
    """A customer of the network."""

    first: cb.Ref[cb.Resource]
    second: cb.Ref[cb.Resource]
    third: cb.Ref[cb.Resource]

    @cb.process
    def journey(self):
        while True:
            self.first.acquire(1)
            cb.hold(random.exponential(0.8))
            self.first.release(1)
            self.second.acquire(1)
            cb.hold(random.exponential(1.2))
            self.second.release(1)
            self.third.acquire(1)
            cb.hold(random.exponential(2.0))
            self.third.release(1)
            if random.uniform(0.0, 1.0) >= 0.5:
                break
        cb.release(self)


class CimbaNetwork(cb.Model):
    """The network for cimba."""

    first: cb.Resource = cb.Resource(capacity=SERVERS[0])
    second: cb.Resource = cb.Resource(capacity=SERVERS[1])
    third: cb.Resource = cb.Resource(capacity=SERVERS[2])
    busy: cb.Output[float]

    @cb.process
    def arrivals(self):
        while True:
            cb.hold(random.exponential(0.5))
            cb.spawn(Customer, first=self.first, second=self.second, third=self.third)

    @cb.on_end
    def figures(self):
        self.busy = self.first.mean_in_use()

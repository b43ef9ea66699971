"""Finds circles in a graph, in time that grows with the graph alone: a hostile file must not keep the checker busy."""

from collections.abc import Iterable, Mapping

Edges = Mapping[str, set[str]]


def closure(starts: Iterable[str], edges: Edges) -> set[str]:
    """Return everything that can be reached from these nodes, themselves included."""
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(edges.get(node, ()))
    return reached


def circles(edges: Edges) -> dict[str, int]:
    """Return, for every node that lies on a circle, the number of its group: two nodes share a circle if they share a group.

    Kosaraju's method without recursion: by falling time of leaving, walk the reversed edges.
    """
    back: dict[str, set[str]] = {}
    for source, targets in edges.items():
        for target in targets:
            back.setdefault(target, set()).add(source)
    groups: dict[str, int] = {}
    sizes: dict[int, int] = {}
    for number, root in enumerate(reversed(_left(edges))):
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node not in groups:
                groups[node] = number
                sizes[number] = sizes.get(number, 0) + 1
                waiting.extend(back.get(node, ()))
    return {node: number for node, number in groups.items() if sizes[number] > 1 or node in edges.get(node, ())}


def _left(edges: Edges) -> list[str]:
    """Return the nodes in the order in which a walk in depth leaves them."""
    order: list[str] = []
    seen: set[str] = set()
    for root in edges:
        waiting = [(root, iter(sorted(edges[root])))] if root not in seen else []
        seen.add(root)
        while waiting:
            node, rest = waiting[-1]
            after = next((other for other in rest if other not in seen), None)
            if after is None:
                order.append(node)
                waiting.pop()
            else:
                seen.add(after)
                waiting.append((after, iter(sorted(edges.get(after, ())))))
    return order


def around(start: str, first: str, edges: Edges) -> list[str]:
    """Return one circle from `start` by `first` back to `start`; the edge to `first` must lie on one."""
    came: dict[str, str] = {}
    waiting = [first]
    for here in waiting:
        for after in sorted(edges.get(here, ())):
            if after not in came:
                came[after] = here
                waiting.append(after)
        if start in came:
            break
    trail = [start]
    while trail[-1] != first or len(trail) == 1:
        trail.append(came[trail[-1]])
    return [start, *reversed(trail)]


def lengths(edges: Edges) -> dict[str, int]:
    """Return how many edges a walk takes that follows every edge out of a node to its end; there must be no circle."""
    found: dict[str, int] = {}
    for node in _left(edges):
        found[node] = sum(1 + found[other] for other in edges.get(node, ()))
    return found

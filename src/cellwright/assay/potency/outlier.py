"""Outlying responses: found by the studentised deleted residual, told to a person, never dropped."""

import msgspec
import numpy as np
from scipy import stats

from cellwright.assay.potency.layout import Layout, Vector


class Suspect(msgspec.Struct, frozen=True):
    """A response farther from its treatment's mean than chance allows.

    Attributes:
        place: index into the layout's responses.
        deleted_residual: studentised by the variance of all the others.
        p: probability that the greatest of all residuals is as great, by Bonferroni.
    """

    place: int
    preparation: str
    dose: float
    response: float
    deleted_residual: float
    p: float


def suspects(layout: Layout, design: Vector, significance: float = 0.01) -> tuple[Suspect, ...]:
    """Responses whose studentised deleted residual from the model is significant at the level for the whole assay.

    Parameters:
        design: [n, k], the fullest model: treatments with the strata of the design.
    """
    norms = np.linalg.norm(design, axis=0)
    left, singular, _right = np.linalg.svd(design[:, norms > 0] / norms[norms > 0], full_matrices=False)
    basis = left[:, singular > 1e-10 * singular[0]]
    residual = layout.y - basis @ (basis.T @ layout.y)
    freedom = len(residual) - basis.shape[1] - 1
    room = 1 - np.einsum("ij,ij->i", basis, basis)
    tested = room > 1e-9
    total = float(residual @ residual)
    if freedom < 1 or total <= 1e-24 * float(layout.y @ layout.y):
        return ()
    without = np.maximum(total - np.divide(residual**2, room, out=np.zeros_like(residual), where=tested), 1e-300)
    size = np.divide(residual, np.sqrt(without / freedom * np.where(tested, room, 1.0)))
    p = np.minimum(1.0, 2 * stats.t.sf(np.abs(size), freedom) * tested.sum())
    return tuple(
        Suspect(int(place), _name(layout, int(place)), layout.dose[place], layout.response[place], float(size[place]),
                float(p[place]))
        for place in np.flatnonzero(tested & (p < significance))
    )  # fmt: skip


def _name(layout: Layout, place: int) -> str:
    index = layout.preparation[place]
    return layout.preparations[index] if index >= 0 else "blank"

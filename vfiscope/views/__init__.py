"""Everything that is drawn or written from a finished run; needs no torch."""

from vfiscope.views.export import export_run
from vfiscope.views.plot import draw_metric, overlay_warnings, plot_run

__all__ = ["draw_metric", "export_run", "overlay_warnings", "plot_run"]

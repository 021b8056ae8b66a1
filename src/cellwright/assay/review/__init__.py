"""The annual product review: every lot of a period, every test, in seconds."""

from cellwright.assay.review.dataset import Dataset, Lots, ReleaseTest, ReviewError, Series
from cellwright.assay.review.report import html, pdf
from cellwright.assay.review.summary import Review, TestReview, review

__all__ = ["Dataset", "Lots", "ReleaseTest", "Review", "ReviewError", "Series", "TestReview", "html", "pdf", "review"]

"""The one Django application of the house."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Tables, pages and templates of the site."""

    name = "cellwright.site"
    label = "cellwright_site"
    default_auto_field = "django.db.models.BigAutoField"

"""URLs and links of the admin's pages, and a run's figures, for the admin's templates."""

from django import template

from webapp.backoffice.links import admin_link, admin_url
from webapp.backoffice.run_page import run_figures

register = template.Library()
register.simple_tag(admin_link)
register.simple_tag(admin_url)
register.simple_tag(run_figures)

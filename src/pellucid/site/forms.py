"""How every form of the portal is printed: `{{ form }}` gives the summary of problems and one block for each field."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class PageRenderer(TemplatesSetting):
    """Prints forms and fields with the portal's own templates."""

    form_template_name = "parts/form.html"
    field_template_name = "parts/field.html"

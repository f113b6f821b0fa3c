"""The form that hides products of one advertiser."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.utils import timezone

from webapp.curation.models import HiddenProduct
from webapp.limits import MAX_ID_LENGTH
from webapp.rankings.models import Advertiser
from webapp.rankings.values import is_id, no_id


def lines_of(text: str | None) -> list[str]:
    """The lines that are not empty, each once. Spaces stay: " p1" and "p1" are two products.

    Only what browsers send at the end of a line ends one. `splitlines` would also cut an id at U+2028, not refuse it.
    """
    return list(dict.fromkeys(line for line in re.split("\r\n|\r|\n", text or "") if line))


class HideForm(forms.ModelForm):
    """Products, one per line, with one reason and one last day for all of them."""

    products = forms.CharField(
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One product id per line, for example pasted from a spreadsheet.",
    )

    field_order = ("products", "reason", "until")

    class Meta:
        model = HiddenProduct
        fields = ("reason", "until")
        widgets: ClassVar = {"until": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}
        help_texts: ClassVar = {
            "reason": "Colleagues see it together with your name.",
            "until": "The last day (UTC). The products return by themselves the day after.",
        }

    def __init__(self, advertiser: Advertiser, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.advertiser = advertiser
        self.fields["until"].widget.attrs["min"] = timezone.now().date().isoformat()

    def clean_products(self) -> list[str]:
        products = lines_of(self.cleaned_data["products"])
        if errors := list(self.errors_of(products)):
            raise ValidationError(errors)
        return products

    def errors_of(self, products: list[str]) -> Iterator[str]:
        for product in products:
            if len(product) > MAX_ID_LENGTH:
                yield f"“{product[:MAX_ID_LENGTH]}…” is too long; a product id has at most {MAX_ID_LENGTH} characters."
            elif not is_id(product):
                yield no_id(product)
        in_force = HiddenProduct.objects.in_force().for_advertiser(self.advertiser)
        for hidden in in_force.filter(product_id__in=[product for product in products if is_id(product)]):
            yield f"“{hidden.product_id}” is already hidden until {hidden.until}; remove its line."

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until < timezone.now().date():
            raise ValidationError(f"{until} is in the past; choose today or a later day.")
        return until

    def hide(self, by: User | AnonymousUser) -> list[str]:
        """Hide the products of the valid form, and return them."""
        products: list[str] = self.cleaned_data["products"]
        same = {"advertiser": self.advertiser, "hidden_by": by}
        same |= {name: self.cleaned_data[name] for name in self.Meta.fields}
        HiddenProduct.objects.bulk_create(HiddenProduct(product_id=product, **same) for product in products)
        return products

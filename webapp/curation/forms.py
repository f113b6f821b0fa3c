"""The form that hides a product of one advertiser."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from webapp.curation.models import HiddenProduct
from webapp.rankings.models import Advertiser


class HideForm(forms.ModelForm):
    """Refuses what is hidden already and days that are over; `save` needs `instance.hidden_by`."""

    class Meta:
        model = HiddenProduct
        fields = ("product_id", "reason", "until")
        widgets: ClassVar = {"until": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}
        help_texts: ClassVar = {
            "reason": "For whoever wonders later; kept with your name.",
            "until": "The last day, in UTC. Nothing need be done when it is over.",
        }

    def __init__(self, advertiser: Advertiser, data: Any = None, *, product_id: str = "") -> None:
        super().__init__(data, instance=HiddenProduct(advertiser=advertiser), initial={"product_id": product_id})
        self.fields["until"].widget.attrs["min"] = timezone.now().date().isoformat()

    def clean_product_id(self) -> str:
        product: str = self.cleaned_data["product_id"]
        hidden = HiddenProduct.objects.in_force().for_advertiser(self.instance.advertiser)
        earlier = hidden.filter(product_id=product).first()
        if earlier is not None:
            raise ValidationError(f"“{product}” is hidden already, until {earlier.until}.")
        return product

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until < timezone.now().date():
            raise ValidationError(f"{until} is over; name today or a later day.")
        return until

"""What an editor may send."""

from typing import Any

from django import forms

from clusters.images import reencode


class PictureField(forms.FileField):
    """A picture, drawn anew as soon as it is received."""

    def __init__(self, *, longest_side: int, **kwargs: Any) -> None:
        self.longest_side = longest_side
        super().__init__(**kwargs)

    def to_python(self, data: Any) -> Any:
        upload = super().to_python(data)
        return upload and reencode(upload, longest_side=self.longest_side)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"accept": "image/png,image/jpeg,image/webp"}

"""Each change of labels and of what rules them is told; see the migration of the same name there.

Of a decision its label's cluster is told also while it is only proposed.
"""

from importlib import import_module
from typing import Any

from django.db import migrations

told_in = import_module("clusters.migrations.0003_changes_are_told")

OTHER, Tells = told_in.OTHER, told_in.Tells
OF_CLUSTER = told_in.OF_CLUSTER.without_words()
OF_LABEL = Tells("cluster", "label_id", "labels_label", "cluster_id", "id").without_words()

TOLD = {
    "labels_label": [OF_CLUSTER],
    "labels_suspension": [OF_LABEL],
    "labels_decision": [OF_LABEL],
    "labels_requiredlevel": [
        OTHER,
        Tells("programme", "programme_id").without_words(),
        Tells(
            "cluster", "programme_id", "clusters_participation", "cluster_id", "programme_id"
        ).without_words(),
    ],
    "labels_level": [OTHER],
    "labels_levelrule": [OTHER],
    "labels_issuingbody": [OTHER],
    "labels_issuingbodyrole": [OTHER],
    "labels_indicatorset": [OTHER],
    "labels_indicator": [OTHER],
    "labels_statement": [OTHER],
}


def forwards(apps: Any, schema_editor: Any) -> None:
    told_in.tell(TOLD, schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    told_in.keep_silent(TOLD, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0003_changes_are_told"),
        ("labels", "0002_label_is_guarded"),
    ]
    operations = [migrations.RunPython(forwards, backwards)]

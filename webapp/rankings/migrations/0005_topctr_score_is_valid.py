from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('rankings', '0004_topctr_score'),
    ]

    operations = [
        ValidateConstraint(model_name='topctr', name='topctr_score_is_a_number'),
    ]

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    """A column without a default is added without a rewrite; 0005 looks at the old rows while everybody reads and writes."""

    dependencies = [
        ('rankings', '0003_rollbacks_and_pruned_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='topctr',
            name='score',
            field=models.FloatField(db_comment="What orders the list: ctr, or with a prior weight W of the run (clicks + W*p) / (impressions + W), p being the advertiser's own rate; null, which means ctr, in rows written before there were scores", null=True),
        ),
        AddConstraintNotValid(
            model_name='topctr',
            constraint=models.CheckConstraint(condition=models.Q(('score__gte', 0), ('score__lt', float("inf"))), name='topctr_score_is_a_number'),
        ),
    ]

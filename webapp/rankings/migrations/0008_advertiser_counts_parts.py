from django.db import migrations, models

BUILD = "create unique index concurrently if not exists advertisercounts_one_row_a_part on advertiser_counts (run_id, advertiser_id, part)"
USE = "alter table advertiser_counts add constraint advertisercounts_one_row_a_part unique using index advertisercounts_one_row_a_part"
DROP = "alter table advertiser_counts drop constraint advertisercounts_one_row_a_part"


class Migration(migrations.Migration):
    atomic = False  # so that the index is built concurrently, without blocking /explain and the job

    dependencies = [
        ('rankings', '0007_lake_pruned_at_and_comments'),
    ]

    operations = [
        migrations.AlterField(
            model_name='run',
            name='inputs',
            field=models.JSONField(blank=True, db_comment='What the run read: the first files of each input, number and digest of all, fingerprints of lines', db_default=models.Value({}, models.JSONField())),
        ),
        migrations.AlterModelTableComment(
            name='advertisercounts',
            table_comment='Per run and advertiser, the counts of all its products, for explanations; one row for 5,000 products',
        ),
        migrations.AddField(
            model_name='advertisercounts',
            name='part',
            field=models.SmallIntegerField(db_comment="Number of the row, from 0, by the products' hash", db_default=0, default=0),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(BUILD, migrations.RunSQL.noop), migrations.RunSQL(USE, DROP)],
            state_operations=[
                migrations.AddConstraint(
                    model_name='advertisercounts',
                    constraint=models.UniqueConstraint(fields=('run', 'advertiser', 'part'), name='advertisercounts_one_row_a_part'),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='advertisercounts',
            name='advertisercounts_one_row_a_run',
        ),
    ]

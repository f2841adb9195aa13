import clusters.fields
import clusters.names
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from clusters.migrations._at_once import CreateTables


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clusters', '0001_initial'),
        ('labels', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [CreateTables([
        migrations.CreateModel(
            name='HistoricalAnnouncement',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('public_id', models.CharField(db_index=True, default=clusters.names.new_public_id, editable=False, max_length=8, verbose_name='public id')),
                ('published_at', models.DateTimeField(blank=True, db_index=True, help_text='May lie in the past, or in the future: then it appears at that moment.', null=True, verbose_name='publication moment')),
                ('is_published', models.BooleanField(default=False, help_text='Off: a draft that no public page shows.', verbose_name='published')),
                ('picture', models.TextField(blank=True, help_text='PNG, JPEG or WebP; stored anew without its metadata.', max_length=100, verbose_name='picture')),
                ('written_by', models.ForeignKey(blank=True, db_constraint=False, help_text='Its team edits the draft. Empty: written by the secretariat.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.organisation', verbose_name='written by the team of')),
                ('contact_organisation', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.organisation', verbose_name='organisation to contact')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical announcement',
                'verbose_name_plural': 'historical announcements',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=clusters.names.new_public_id, editable=False, max_length=8, unique=True, verbose_name='public id')),
                ('published_at', models.DateTimeField(blank=True, db_index=True, help_text='May lie in the past, or in the future: then it appears at that moment.', null=True, verbose_name='publication moment')),
                ('is_published', models.BooleanField(default=False, help_text='Off: a draft that no public page shows.', verbose_name='published')),
                ('picture', models.ImageField(blank=True, help_text='PNG, JPEG or WebP; stored anew without its metadata.', upload_to='announcements/', verbose_name='picture')),
                ('written_by', models.ForeignKey(blank=True, help_text='Its team edits the draft. Empty: written by the secretariat.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='written_announcements', to='clusters.organisation', verbose_name='written by the team of')),
                ('contact_organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clusters.organisation', verbose_name='organisation to contact')),
                ('clusters', models.ManyToManyField(blank=True, related_name='announcements', to='clusters.cluster', verbose_name='clusters')),
                ('organisations', models.ManyToManyField(blank=True, related_name='announcements', to='clusters.organisation', verbose_name='organisations')),
                ('labels', models.ManyToManyField(blank=True, related_name='announcements', to='labels.label', verbose_name='labels')),
                ('programmes', models.ManyToManyField(blank=True, related_name='announcements', to='clusters.programme', verbose_name='programmes')),
                ('statements', models.ManyToManyField(blank=True, help_text='Published counts that the text quotes; shown with their source.', related_name='announcements', to='labels.statement', verbose_name='quoted counts')),
            ],
            options={
                'verbose_name': 'announcement',
                'verbose_name_plural': 'announcements',
                'ordering': ('-published_at', '-pk'),
                'constraints': [models.CheckConstraint(condition=models.Q(('is_published', False), ('published_at__isnull', False), _connector='OR'), name='announcement_is_published_at_a_moment', violation_error_message='Give the publication moment of what is published.')],
            },
        ),
        migrations.CreateModel(
            name='AnnouncementText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('announcement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='news.announcement', verbose_name='announcement')),
                ('language', models.CharField(choices=[('en', 'English'), ('it', 'Italian')], max_length=2, verbose_name='language')),
                ('title', clusters.fields.NameField(max_length=200, verbose_name='title')),
                ('slug', models.SlugField(blank=True, help_text='The last part of the page’s address; made of the title where it is left empty. An old one leads on to the new one.', max_length=90, verbose_name='address')),
                ('lead', models.TextField(blank=True, help_text='One or two sentences.', verbose_name='lead')),
                ('body', models.TextField(help_text='Markdown: an empty line between paragraphs, “- ” for a list.', verbose_name='body')),
                ('box_title', clusters.fields.NameField(blank=True, max_length=120, verbose_name='title of the background box')),
                ('box', models.TextField(blank=True, help_text='Markdown.', verbose_name='background box')),
                ('picture_alt', models.CharField(blank=True, help_text='What the picture shows, for those who do not see it.', max_length=300, verbose_name='alternative text of the picture')),
                ('picture_credit', models.CharField(blank=True, max_length=200, verbose_name='picture credit')),
                ('contact_role', models.CharField(blank=True, help_text='A function, never a person.', max_length=120, verbose_name='contact')),
            ],
            options={
                'verbose_name': 'text',
                'verbose_name_plural': 'texts',
                'ordering': ('announcement', 'language'),
                'constraints': [models.UniqueConstraint(fields=('announcement', 'language'), name='announcement_text_once_per_language', violation_error_message='There is a text in this language already.'), models.UniqueConstraint(fields=('language', 'slug'), name='announcement_address_once_per_language', violation_error_message='Another announcement has this address.')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_clusters',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('cluster', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.cluster')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_clusters',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_organisations',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('organisation', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.organisation')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_organisations',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_labels',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('label', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='labels.label')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_labels',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_programmes',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('programme', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.programme')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_programmes',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_statements',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('statement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='labels.statement')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_statements',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncementText',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('language', models.CharField(choices=[('en', 'English'), ('it', 'Italian')], max_length=2, verbose_name='language')),
                ('title', clusters.fields.NameField(max_length=200, verbose_name='title')),
                ('slug', models.SlugField(blank=True, help_text='The last part of the page’s address; made of the title where it is left empty. An old one leads on to the new one.', max_length=90, verbose_name='address')),
                ('lead', models.TextField(blank=True, help_text='One or two sentences.', verbose_name='lead')),
                ('body', models.TextField(help_text='Markdown: an empty line between paragraphs, “- ” for a list.', verbose_name='body')),
                ('box_title', clusters.fields.NameField(blank=True, max_length=120, verbose_name='title of the background box')),
                ('box', models.TextField(blank=True, help_text='Markdown.', verbose_name='background box')),
                ('picture_alt', models.CharField(blank=True, help_text='What the picture shows, for those who do not see it.', max_length=300, verbose_name='alternative text of the picture')),
                ('picture_credit', models.CharField(blank=True, max_length=200, verbose_name='picture credit')),
                ('contact_role', models.CharField(blank=True, help_text='A function, never a person.', max_length=120, verbose_name='contact')),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement', verbose_name='announcement')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.TextField(null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical text',
                'verbose_name_plural': 'historical texts',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ])]

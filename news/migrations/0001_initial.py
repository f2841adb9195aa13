import clusters.fields
import clusters.models.reference
import clusters.names
import django.db.models.deletion
import django.utils.timezone
import news.markup
import news.models.subscriptions
import simple_history.models
import uuid
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
            name='Topic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name_en', clusters.fields.NameField(max_length=200, verbose_name='name (English)')),
                ('name_it', clusters.fields.NameField(max_length=200, verbose_name='name (Italian)')),
                ('slug', models.SlugField(help_text='The word for it in addresses, the same in every language.', max_length=60, unique=True, verbose_name='page address')),
                ('rank', clusters.fields.BoundedIntegerField(default=0, help_text='The lowest comes first.', most=1000, verbose_name='place in the list')),
            ],
            options={
                'verbose_name': 'topic',
                'verbose_name_plural': 'topics',
                'ordering': ('rank', 'name_en', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=clusters.names.new_public_id, editable=False, max_length=8, unique=True, verbose_name='public id')),
                ('kind', models.CharField(choices=[('news', 'news'), ('event', 'event'), ('call', 'call')], db_index=True, default='news', help_text='An event has a start, a call a deadline.', max_length=8, verbose_name='kind')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('in_review', 'in review'), ('approved', 'approved'), ('published', 'published'), ('withdrawn', 'withdrawn'), ('archived', 'archived')], db_index=True, default='draft', max_length=12, verbose_name='state')),
                ('published_at', clusters.fields.MomentField(blank=True, db_index=True, help_text='May lie in the past, or in the future: then it appears at that moment.', null=True, verbose_name='publication moment')),
                ('withdrawn_at', clusters.fields.MomentField(blank=True, null=True, verbose_name='withdrawn')),
                ('withdrawal_reason', clusters.fields.LongTextField(blank=True, help_text='Public: it stands at the address instead of the text.', max_length=1000, verbose_name='reason of the withdrawal')),
                ('approved_digest', models.CharField(blank=True, editable=False, max_length=64)),
                ('archived_at', clusters.fields.MomentField(blank=True, null=True, verbose_name='archived')),
                ('begins_at', clusters.fields.MomentField(blank=True, db_index=True, help_text='Of an event.', null=True, verbose_name='start')),
                ('ends_at', clusters.fields.MomentField(blank=True, help_text='Of an event. Empty: it is not known, or the same day.', null=True, verbose_name='end')),
                ('place', clusters.fields.NameField(blank=True, help_text='Of an event: the house or the town; “online” where there is none.', max_length=200, verbose_name='place')),
                ('address', clusters.fields.NameField(blank=True, help_text='Of an event: street, number and town.', max_length=300, verbose_name='address')),
                ('deadline_at', clusters.fields.MomentField(blank=True, db_index=True, help_text='Of a call: until when one may answer.', null=True, verbose_name='deadline')),
                ('picture', models.ImageField(blank=True, db_index=True, help_text='PNG, JPEG or WebP; stored anew without its metadata.', upload_to='announcements/', verbose_name='picture')),
                ('clusters', models.ManyToManyField(blank=True, help_text='Each names it on its own page.', related_name='announcements', to='clusters.cluster', verbose_name='clusters')),
                ('contact_organisation', models.ForeignKey(blank=True, help_text='Whoever reads it may write to this organisation by a form.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clusters.organisation', verbose_name='organisation to contact')),
                ('labels', models.ManyToManyField(blank=True, help_text='Shown beside the text as they were then, and as they are today.', related_name='announcements', to='labels.label', verbose_name='labels')),
                ('organisations', models.ManyToManyField(blank=True, help_text='Each names it on its own page.', related_name='announcements', to='clusters.organisation', verbose_name='organisations')),
                ('programmes', models.ManyToManyField(blank=True, help_text='Programmes in which what it tells took place.', related_name='announcements', to='clusters.programme', verbose_name='programmes')),
                ('reviewer', models.ForeignKey(blank=True, help_text='Who of the secretariat reads it before it is published.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reviewed_announcements', to=settings.AUTH_USER_MODEL, verbose_name='reviewer')),
                ('statements', models.ManyToManyField(blank=True, help_text='Published counts that the text quotes; shown with their source.', related_name='announcements', to='labels.statement', verbose_name='quoted counts')),
                ('written_by', models.ForeignKey(blank=True, help_text='Its team edits the draft. Empty: written by the secretariat.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='written_announcements', to='clusters.organisation', verbose_name='written by the team of')),
                ('topics', models.ManyToManyField(blank=True, help_text='Of the list that the secretariat keeps.', related_name='announcements', to='news.topic', verbose_name='topics')),
            ],
            options={
                'verbose_name': 'announcement',
                'verbose_name_plural': 'announcements',
                'ordering': ('-published_at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('corrected_at', clusters.fields.MomentField(default=django.utils.timezone.now, verbose_name='moment of the correction')),
                ('text_en', clusters.fields.LongTextField(help_text='Public: what was wrong, and what is right.', max_length=1000, verbose_name='what was corrected (English)')),
                ('text_it', clusters.fields.LongTextField(help_text='Public: what was wrong, and what is right.', max_length=1000, verbose_name='what was corrected (Italian)')),
                ('announcement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='news.announcement', verbose_name='announcement')),
            ],
            options={
                'verbose_name': 'correction',
                'verbose_name_plural': 'corrections',
                'ordering': ('corrected_at', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('public_id', models.CharField(db_index=True, default=clusters.names.new_public_id, editable=False, max_length=8, verbose_name='public id')),
                ('kind', models.CharField(choices=[('news', 'news'), ('event', 'event'), ('call', 'call')], db_index=True, default='news', help_text='An event has a start, a call a deadline.', max_length=8, verbose_name='kind')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('in_review', 'in review'), ('approved', 'approved'), ('published', 'published'), ('withdrawn', 'withdrawn'), ('archived', 'archived')], db_index=True, default='draft', max_length=12, verbose_name='state')),
                ('published_at', clusters.fields.MomentField(blank=True, db_index=True, help_text='May lie in the past, or in the future: then it appears at that moment.', null=True, verbose_name='publication moment')),
                ('withdrawn_at', clusters.fields.MomentField(blank=True, null=True, verbose_name='withdrawn')),
                ('withdrawal_reason', clusters.fields.LongTextField(blank=True, help_text='Public: it stands at the address instead of the text.', max_length=1000, verbose_name='reason of the withdrawal')),
                ('approved_digest', models.CharField(blank=True, editable=False, max_length=64)),
                ('archived_at', clusters.fields.MomentField(blank=True, null=True, verbose_name='archived')),
                ('begins_at', clusters.fields.MomentField(blank=True, db_index=True, help_text='Of an event.', null=True, verbose_name='start')),
                ('ends_at', clusters.fields.MomentField(blank=True, help_text='Of an event. Empty: it is not known, or the same day.', null=True, verbose_name='end')),
                ('place', clusters.fields.NameField(blank=True, help_text='Of an event: the house or the town; “online” where there is none.', max_length=200, verbose_name='place')),
                ('address', clusters.fields.NameField(blank=True, help_text='Of an event: street, number and town.', max_length=300, verbose_name='address')),
                ('deadline_at', clusters.fields.MomentField(blank=True, db_index=True, help_text='Of a call: until when one may answer.', null=True, verbose_name='deadline')),
                ('picture', models.TextField(blank=True, db_index=True, help_text='PNG, JPEG or WebP; stored anew without its metadata.', max_length=100, verbose_name='picture')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_date', clusters.fields.MomentField(db_index=True)),
                ('history_change_reason', clusters.fields.LongTextField(max_length=4000, null=True)),
                ('contact_organisation', models.ForeignKey(blank=True, db_constraint=False, help_text='Whoever reads it may write to this organisation by a form.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.organisation', verbose_name='organisation to contact')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reviewer', models.ForeignKey(blank=True, db_constraint=False, help_text='Who of the secretariat reads it before it is published.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reviewer')),
                ('written_by', models.ForeignKey(blank=True, db_constraint=False, help_text='Its team edits the draft. Empty: written by the secretariat.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.organisation', verbose_name='written by the team of')),
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
            name='HistoricalAnnouncement_clusters',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('cluster', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.cluster')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_clusters',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_labels',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('label', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='labels.label')),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_labels',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_organisations',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('organisation', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.organisation')),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_organisations',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_programmes',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('programme', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='clusters.programme')),
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
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('statement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='labels.statement')),
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
                ('language', models.CharField(choices=clusters.models.reference.languages, max_length=2, verbose_name='language')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('ready', 'ready')], default='draft', help_text='Only a text that is ready is published with the announcement.', max_length=8, verbose_name='state of the text')),
                ('title', clusters.fields.NameField(help_text='One line; it stands in lists, too.', max_length=200, verbose_name='title')),
                ('slug', models.SlugField(blank=True, help_text='The last part of the page’s address; made of the title where it is left empty. An old one leads on to the new one.', max_length=90, verbose_name='page address')),
                ('lead', clusters.fields.LongTextField(blank=True, help_text='One or two sentences.', max_length=2000, verbose_name='lead')),
                ('body', clusters.fields.LongTextField(help_text='Markdown: an empty line between paragraphs, “- ” for a list.', max_length=20000, validators=[news.markup.validate_markdown], verbose_name='body')),
                ('box_title', clusters.fields.NameField(blank=True, help_text='Empty: “Background”.', max_length=120, verbose_name='title of the background box')),
                ('box', clusters.fields.LongTextField(blank=True, help_text='Markdown.', max_length=5000, validators=[news.markup.validate_markdown], verbose_name='background box')),
                ('picture_alt', models.CharField(blank=True, help_text='What the picture shows, for those who do not see it.', max_length=300, verbose_name='alternative text of the picture')),
                ('picture_credit', models.CharField(blank=True, help_text='Whose picture it is, and its licence.', max_length=200, verbose_name='picture credit')),
                ('contact_role', models.CharField(blank=True, help_text='A function, never a person.', max_length=120, verbose_name='contact')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_date', clusters.fields.MomentField(db_index=True)),
                ('history_change_reason', clusters.fields.LongTextField(max_length=4000, null=True)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement', verbose_name='announcement')),
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
        migrations.CreateModel(
            name='HistoricalCorrection',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('corrected_at', clusters.fields.MomentField(default=django.utils.timezone.now, verbose_name='moment of the correction')),
                ('text_en', clusters.fields.LongTextField(help_text='Public: what was wrong, and what is right.', max_length=1000, verbose_name='what was corrected (English)')),
                ('text_it', clusters.fields.LongTextField(help_text='Public: what was wrong, and what is right.', max_length=1000, verbose_name='what was corrected (Italian)')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_date', clusters.fields.MomentField(db_index=True)),
                ('history_change_reason', clusters.fields.LongTextField(max_length=4000, null=True)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement', verbose_name='announcement')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical correction',
                'verbose_name_plural': 'historical corrections',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalReviewComment',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('written_at', clusters.fields.MomentField(verbose_name='written')),
                ('text', clusters.fields.LongTextField(max_length=2000, verbose_name='comment')),
                ('is_resolved', models.BooleanField(default=False, verbose_name='resolved')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_date', clusters.fields.MomentField(db_index=True)),
                ('history_change_reason', clusters.fields.LongTextField(max_length=4000, null=True)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement', verbose_name='announcement')),
                ('author', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical comment of a review',
                'verbose_name_plural': 'historical comments of the review',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalTopic',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('name_en', clusters.fields.NameField(max_length=200, verbose_name='name (English)')),
                ('name_it', clusters.fields.NameField(max_length=200, verbose_name='name (Italian)')),
                ('slug', models.SlugField(help_text='The word for it in addresses, the same in every language.', max_length=60, verbose_name='page address')),
                ('rank', clusters.fields.BoundedIntegerField(default=0, help_text='The lowest comes first.', most=1000, verbose_name='place in the list')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_date', clusters.fields.MomentField(db_index=True)),
                ('history_change_reason', clusters.fields.LongTextField(max_length=4000, null=True)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical topic',
                'verbose_name_plural': 'historical topics',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='ReviewComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('written_at', clusters.fields.MomentField(verbose_name='written')),
                ('text', clusters.fields.LongTextField(max_length=2000, verbose_name='comment')),
                ('is_resolved', models.BooleanField(default=False, verbose_name='resolved')),
                ('announcement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='news.announcement', verbose_name='announcement')),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='review_comments', to=settings.AUTH_USER_MODEL, verbose_name='author')),
            ],
            options={
                'verbose_name': 'comment of a review',
                'verbose_name_plural': 'comments of the review',
                'ordering': ('written_at', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='HistoricalAnnouncement_topics',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('m2m_history_id', models.AutoField(primary_key=True, serialize=False)),
                ('announcement', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.announcement')),
                ('history', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to='news.historicalannouncement')),
                ('topic', models.ForeignKey(blank=True, db_constraint=False, db_tablespace='', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='news.topic')),
            ],
            options={
                'verbose_name': 'HistoricalAnnouncement_topics',
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='AnnouncementText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=clusters.models.reference.languages, max_length=2, verbose_name='language')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('ready', 'ready')], default='draft', help_text='Only a text that is ready is published with the announcement.', max_length=8, verbose_name='state of the text')),
                ('title', clusters.fields.NameField(help_text='One line; it stands in lists, too.', max_length=200, verbose_name='title')),
                ('slug', models.SlugField(blank=True, help_text='The last part of the page’s address; made of the title where it is left empty. An old one leads on to the new one.', max_length=90, verbose_name='page address')),
                ('lead', clusters.fields.LongTextField(blank=True, help_text='One or two sentences.', max_length=2000, verbose_name='lead')),
                ('body', clusters.fields.LongTextField(help_text='Markdown: an empty line between paragraphs, “- ” for a list.', max_length=20000, validators=[news.markup.validate_markdown], verbose_name='body')),
                ('box_title', clusters.fields.NameField(blank=True, help_text='Empty: “Background”.', max_length=120, verbose_name='title of the background box')),
                ('box', clusters.fields.LongTextField(blank=True, help_text='Markdown.', max_length=5000, validators=[news.markup.validate_markdown], verbose_name='background box')),
                ('picture_alt', models.CharField(blank=True, help_text='What the picture shows, for those who do not see it.', max_length=300, verbose_name='alternative text of the picture')),
                ('picture_credit', models.CharField(blank=True, help_text='Whose picture it is, and its licence.', max_length=200, verbose_name='picture credit')),
                ('contact_role', models.CharField(blank=True, help_text='A function, never a person.', max_length=120, verbose_name='contact')),
                ('announcement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='news.announcement', verbose_name='announcement')),
            ],
            options={
                'verbose_name': 'text',
                'verbose_name_plural': 'texts',
                'ordering': ('announcement', 'language'),
                'constraints': [models.UniqueConstraint(fields=('announcement', 'language'), name='announcement_text_once_per_language', violation_error_message='There is a text in this language already.'), models.UniqueConstraint(fields=('language', 'slug'), name='announcement_address_once_per_language', violation_error_message='Another announcement has this address.')],
            },
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('draft', 'in_review', 'approved')), ('published_at__isnull', False), _connector='OR'), name='announcement_is_published_at_a_moment', violation_error_message='Give the publication moment of what is published.'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), ('withdrawn_at__isnull', False), models.Q(('withdrawal_reason', ''), _negated=True)), models.Q(models.Q(('state', 'withdrawn'), _negated=True), ('withdrawal_reason', ''), ('withdrawn_at__isnull', True)), _connector='OR'), name='announcement_withdrawal_has_a_moment_and_a_reason', violation_error_message='A withdrawal needs its moment and its reason.'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('archived_at__isnull', False), ('state', 'archived')), models.Q(models.Q(('state', 'archived'), _negated=True), ('archived_at__isnull', True)), _connector='OR'), name='announcement_is_archived_at_a_moment', violation_error_message='What is archived has the moment when it was.'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('begins_at__isnull', False), ('kind', 'event')), models.Q(models.Q(('kind', 'event'), _negated=True), ('address', ''), ('begins_at__isnull', True), ('ends_at__isnull', True), ('place', '')), _connector='OR'), name='announcement_of_an_event_begins', violation_error_message='An event needs its start; only an event has start, end, place and address.'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gte', models.F('begins_at')), _connector='OR'), name='announcement_event_ends_after_it_begins', violation_error_message='The event ends before it starts.'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('deadline_at__isnull', False), ('kind', 'call')), models.Q(models.Q(('kind', 'call'), _negated=True), ('deadline_at__isnull', True)), _connector='OR'), name='announcement_of_a_call_has_a_deadline', violation_error_message='A call needs its deadline; only a call has one.'),
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('address', models.EmailField(max_length=254, unique=True, verbose_name='e-mail address')),
                ('language', models.CharField(choices=clusters.models.reference.languages, default='en', max_length=2, verbose_name='language of mails')),
                ('rhythm', models.CharField(choices=[('at_once', 'at once'), ('weekly', 'once a week, on Monday'), ('monthly', 'once a month, on the first')], default='weekly', max_length=8, verbose_name='rhythm')),
                ('kinds', models.JSONField(default=news.models.subscriptions.every_kind, verbose_name='kinds')),
                ('clusters', models.JSONField(blank=True, default=list, verbose_name='clusters')),
                ('topics', models.JSONField(blank=True, default=list, verbose_name='topics')),
                ('countries', models.JSONField(blank=True, default=list, verbose_name='countries')),
                ('signed_up_at', clusters.fields.MomentField(verbose_name='signed up')),
                ('confirmed_at', clusters.fields.MomentField(blank=True, null=True, verbose_name='confirmed')),
                ('told_at', clusters.fields.MomentField(blank=True, null=True, verbose_name='told up to')),
            ],
            options={
                'verbose_name': 'subscription',
                'verbose_name_plural': 'subscriptions',
                'ordering': ('-signed_up_at', '-pk'),
                'indexes': [models.Index(condition=models.Q(('confirmed_at__isnull', False)), fields=['rhythm', 'id'], name='subscription_by_rhythm')],
                'constraints': [models.CheckConstraint(condition=models.Q(('rhythm__in', ['at_once', 'weekly', 'monthly'])), name='subscription_has_a_known_rhythm'), models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('told_at__isnull', True)), models.Q(('confirmed_at__isnull', False), ('told_at__isnull', False)), _connector='OR'), name='subscription_is_told_since_it_is_confirmed')],
            },
        ),
    ])]

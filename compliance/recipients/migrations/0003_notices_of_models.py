from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("recipients", "0002_notices_by_recipient")]
    operations = [migrations.RemoveConstraint("notice", "one_notice_per_recipient")]

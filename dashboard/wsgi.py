import os

from django.core.wsgi import get_wsgi_application

from dashboard import reporting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
reporting.start("web")
application = get_wsgi_application()

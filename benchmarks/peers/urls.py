from django.urls import path

from benchmarks.peers import lists
from dashboard import urls

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
urlpatterns = [
    *urls.urlpatterns,
    path("peers/nothing/", lists.nothing),
    path("peers/tuned/", lists.tuned.urls),
    path("peers/tables2/", lists.InstanceTable.as_view()),
]

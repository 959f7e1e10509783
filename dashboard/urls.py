"""URLs mirror Cloudflare's API, so that a reader of one can guess the other.

An instance's id stands last and may hold `/`, spaces and `*` (cron), so nothing follows it; what is
done to an instance is posted to `/operations/`.
"""

from django.urls import path

from dashboard.views import (
    asking,
    audit,
    budget,
    bulk,
    compare,
    errors,
    export,
    forecast,
    frozen,
    go,
    group_decisions,
    groups,
    health,
    instance,
    instances,
    marks,
    metrics,
    operations,
    overview,
    saved_views,
    sign_in,
    snapshot,
    step,
    step_output,
    sync,
    version,
    workflow,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("instances/", instances.instance_list, name="instances"),
    path("instances/export.<slug:kind>", export.instance_export, name="export"),
    path("accounts/<str:account_id>/workflows/", overview.account_workflows, name="workflows"),
    path(
        "accounts/<str:account_id>/workflows/<str:workflow_name>/",
        workflow.workflow_detail,
        name="workflow",
    ),
    path(
        "accounts/<str:account_id>/workflows/<str:workflow_name>/versions/<str:version_id>/",
        version.version_detail,
        name="version",
    ),
    path(
        "accounts/<str:account_id>/workflows/<str:workflow_name>/marks/",
        marks.mark_list,
        name="marks",
    ),
    path(
        "accounts/<str:account_id>/workflows/<str:workflow_name>/marks/remove/",
        marks.remove_mark,
        name="remove-mark",
    ),
    path(
        "accounts/<str:account_id>/workflows/<str:workflow_name>/steps/",
        step.step_detail,
        name="step",
    ),
    path(
        "accounts/<str:account_id>/workflows/<str:workflow_name>/instances/<path:instance_id>",
        instance.instance_detail,
        name="instance",
    ),
    path("groups/", groups.group_list, name="groups"),
    path("groups/<int:pk>/", groups.group_detail, name="group"),
    path("groups/<int:pk>/decide/", group_decisions.decide, name="group-decide"),
    path("step-output/", step_output.step_output, name="step-output"),
    path("operations/", operations.operation_list, name="operations"),
    path("operations/bulk/", bulk.bulk, name="bulk"),
    path("operations/new/", asking.new_operation, name="new-operation"),
    path("operations/audit.<str:form>", audit.audit_export, name="audit-export"),
    path("operations/<uuid:pk>/", operations.operation_detail, name="operation"),
    path("snapshots/", snapshot.keep, name="snapshots"),
    path("snapshots/<uuid:pk>/", snapshot.snapshot_detail, name="snapshot"),
    path("snapshots/<uuid:pk>/output/", snapshot.snapshot_output, name="snapshot-output"),
    path("snapshots/<uuid:pk>/pin/", snapshot.pin, name="pin"),
    path("compare/", compare.comparison, name="compare"),
    path("frozen/", frozen.frozen_list, name="frozen-list"),
    path("frozen/new/", frozen.new_frozen, name="new-frozen"),
    path("frozen/<str:key>/", frozen.frozen_page, name="frozen"),
    path("frozen/<str:key>/revoke/", frozen.revoke, name="revoke"),
    path("frozen/<str:key>/<int:number>/", frozen.frozen_page, name="frozen-instance"),
    path("frozen/<str:key>/<int:number>/output/", frozen.frozen_output, name="frozen-output"),
    path("forecast/", forecast.forecast_page, name="forecast"),
    path("sync/", sync.sync_detail, name="sync"),
    path("operations/<uuid:pk>/steer/", operations.operation_steer, name="operation-steer"),
    path("operations/<uuid:pk>/again/", operations.operation_again, name="operation-again"),
    path("operations/<uuid:pk>/outcome.<str:form>", audit.outcome, name="operation-outcome"),
    path("views/", saved_views.saved_view_list, name="saved-views"),
    path("views/new/", saved_views.new_saved_view, name="new-saved-view"),
    path("views/change/<int:pk>/", saved_views.change_saved_view, name="change-saved-view"),
    path("views/copy/<int:pk>/", saved_views.copy_saved_view, name="copy-saved-view"),
    path("views/delete/<int:pk>/", saved_views.delete_saved_view, name="delete-saved-view"),
    path("views/<int:pk>/<slug:slug>/", saved_views.saved_view, name="saved-view"),
    path("go/", go.go, name="go"),
    path("budget/", budget.budget_detail, name="budget"),
    path("budget/meter/", budget.budget_meter, name="budget-meter"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign-out"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error

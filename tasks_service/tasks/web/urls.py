from django.urls import path

from .views import actions, editing, exports, lists, notifications, pages, reassignments

urlpatterns = [
    path("", lists.task_list, name="task_list"),
    path("tasks/add", actions.quick_add, name="quick_add"),
    path("tasks/news", lists.task_news, name="task_news"),
    path("tasks/reading", actions.reading, name="reading"),
    path("tasks/new", pages.task_new, name="task_new"),
    path("tasks/<uuid:task_id>", pages.task_page, name="task_page"),
    path("tasks/export", exports.tasks, name="task_export"),
    path("tasks/<uuid:task_id>/edit", editing.task_edit, name="task_edit"),
    path("tasks/<uuid:task_id>/price", lists.task_price, name="task_price"),
    path("tasks/<uuid:task_id>/done", actions.done, name="task_done"),
    path("tasks/<uuid:task_id>/undo", actions.undo, name="task_undo"),
    path("tasks/<uuid:task_id>/reopen", actions.reopen, name="task_reopen"),
    path("reassignments", reassignments.reassignment_list, name="reassignment_list"),
    path("reassignments/new", reassignments.reassignment_new, name="reassignment_new"),
    path("reassignments/news", reassignments.reassignment_news, name="reassignment_news"),
    path("reassignments/export", exports.reassignments, name="reassignment_export"),
    path("reassignments/<uuid:reassignment_id>", reassignments.reassignment_page, name="reassignment_page"),
    path("reassignments/<uuid:reassignment_id>/export", exports.shares, name="share_export"),
    path("notifications", notifications.notifications, name="notifications"),
    path("notifications/news", notifications.notification_news, name="notification_news"),
    path("notifications/<slug:channel>/switch", notifications.switch, name="contact_switch"),
    path("notifications/<slug:channel>/code", notifications.code, name="code_send"),
    path("notifications/<slug:channel>/confirm", notifications.confirm, name="code_confirm"),
    path("notifications/<slug:channel>/forget", notifications.forget, name="contact_forget"),
    path("notifications/messages/<int:delivery_id>/again", notifications.again, name="message_again"),
]

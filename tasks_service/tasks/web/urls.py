from django.urls import path

from .views import actions, lists, pages, reassignments

urlpatterns = [
    path("", lists.task_list, name="task_list"),
    path("tasks/add", actions.quick_add, name="quick_add"),
    path("tasks/news", lists.task_news, name="task_news"),
    path("tasks/reading", actions.reading, name="reading"),
    path("tasks/new", pages.task_new, name="task_new"),
    path("tasks/<uuid:task_id>", pages.task_page, name="task_page"),
    path("tasks/<uuid:task_id>/price", lists.task_price, name="task_price"),
    path("tasks/<uuid:task_id>/done", actions.done, name="task_done"),
    path("tasks/<uuid:task_id>/undo", actions.undo, name="task_undo"),
    path("tasks/<uuid:task_id>/reopen", actions.reopen, name="task_reopen"),
    path("reassignments", reassignments.reassignment_list, name="reassignment_list"),
    path("reassignments/new", reassignments.reassignment_new, name="reassignment_new"),
    path("reassignments/<uuid:reassignment_id>", reassignments.reassignment_page, name="reassignment_page"),
]

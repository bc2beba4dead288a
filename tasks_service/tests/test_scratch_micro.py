import timeit
from uuid import uuid4
from datetime import UTC, datetime
from types import SimpleNamespace as N
from eventbus.outbox import _row
from eventbus.codec import encode
from eventbus.event import new_id
from tasks.events import published
def best(f, n=20000): return min(timeit.repeat(f, number=n, repeat=5))/n*1e6
def test_m():
    now=datetime.now(UTC)
    t=N(id=str(uuid4()),version=2,title="Wash the cage number",jira_id="POPUG-1",description="by",status="open",assignee_id=str(uuid4()),assignment_no=2,completion_no=0,creator_id=str(uuid4()),created_at=now,assigned_at=now)
    a=uuid4(); r=uuid4()
    e1=published.task_assigned(t,at=now,cause="reassigned",actor_id=a,reassignment_id=r); e2=published.task_updated(t,at=now)
    print()
    print("new_id", best(new_id))
    print("assigned event", best(lambda: published.task_assigned(t,at=now,cause="reassigned",actor_id=a,reassignment_id=r)))
    print("updated event", best(lambda: published.task_updated(t,at=now)))
    print("enc1", best(lambda: encode(e1))); print("enc2", best(lambda: encode(e2)))
    print("row2", best(lambda: _row(e2,"tasks","")))

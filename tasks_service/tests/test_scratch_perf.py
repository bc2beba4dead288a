import cProfile, pstats, random, time
from uuid import uuid4
import pytest
from django.db import connection
from tasks import services
from .support.people import person, NOW
from .support.work import at

@pytest.mark.django_db(transaction=True)
def test_perf():
    ws = [person("worker") for _ in range(30)]
    m = person("manager")
    with connection.cursor() as c:
        c.execute("""INSERT INTO tasks_task (id,title,jira_id,description,status,creator_id,created_at,assignee_id,assigned_at,assignment_no,completion_no,version)
        SELECT gen_random_uuid(), 'Wash the cage number '||n, 'POPUG-'||n, 'By the window', 'open', %s, %s, (%s::uuid[])[1+n%%30], %s, 1,0,1 FROM generate_series(1,100000) n""", [m.pk, NOW, [w.pk for w in ws], NOW])
        c.execute("INSERT INTO tasks_taskprice SELECT id,1500,3000,'USD' FROM tasks_task")
        c.execute("VACUUM ANALYZE")
    for i in range(3):
        t=time.perf_counter(); u=time.process_time()
        services.tasks_reassign(key=uuid4(), actor=m, now=at(5+i), rng=random.SystemRandom())
        print("REASSIGN", time.perf_counter()-t, "cpu", time.process_time()-u)
        with connection.cursor() as c:
            c.execute("TRUNCATE eventbus_outbox"); 
            t=time.perf_counter(); c.execute("UPDATE tasks_task SET assignee_id=%s, assigned_at=%s, version=version+1", [ws[i].pk, at(50+i)]); print("BARE", time.perf_counter()-t)
            c.execute("VACUUM ANALYZE")
    p=cProfile.Profile(); p.enable()
    services.tasks_reassign(key=uuid4(), actor=m, now=at(9), rng=random.SystemRandom())
    p.disable(); pstats.Stats(p).sort_stats("tottime").print_stats(25)

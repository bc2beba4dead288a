from chassis.celery import make_app

app = make_app("auth")

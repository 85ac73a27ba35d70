"""Receives forms by Django: python form_django.py SETTINGS, as JSON."""

import json
import os
import sys
from wsgiref.simple_server import make_server

import django
from django.conf import settings as of_django
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings = json.loads(sys.argv[1])
of_django.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")


@csrf_exempt
def upload(request):
    if request.COOKIES.get("user") != "joe":
        return HttpResponseRedirect("/accounts/login/?next=/upload/")
    file = request.FILES["document"]
    with open(os.path.join(settings["data"], file.name), "wb") as out:
        for chunk in file.chunks():
            out.write(chunk)
    return HttpResponseRedirect("/documents/")


urlpatterns = [path("upload/", upload), path("", lambda request: HttpResponse("home"))]
django.setup()
make_server(settings["host"], settings["port"], get_wsgi_application()).serve_forever()

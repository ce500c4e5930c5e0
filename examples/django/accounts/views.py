from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render


class RegistrationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ["username", "first_name", "email"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["first_name"].required = self.fields["email"].required = True


def register(request):
    """Nothing about mail: saving the user is what asks for it."""
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        return HttpResponse(f"Welcome, {user.username}.", status=201, content_type="text/plain")
    return render(request, "accounts/register.html", {"form": form}, status=400 if form.errors else 200)

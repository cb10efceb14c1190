"""The service by HTTP: who asks, what they may, errors as problems, and the routes; `app.make_app` makes it."""

"""How gunicorn serves the web app: requests are collected before a thread gets them, and responses have deadlines."""

"""Alerts: what the hall tells leaves the house by webhooks, to people, to Alertmanager."""

from app.alerts.alerts import Alerts
from app.alerts.plan import Plan
from app.alerts.reading import read_plan

__all__ = ["Alerts", "Plan", "read_plan"]

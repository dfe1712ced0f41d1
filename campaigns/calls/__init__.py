"""Calls: something outside says that a customer's moment has come."""

"""Re-runnable measurements, each beside a floor measured in the same run; `make bench` runs them one by one."""

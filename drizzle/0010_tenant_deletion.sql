-- A deleted tenant's secrets go with it.
GRANT DELETE ON secrets TO scheduler_engine;

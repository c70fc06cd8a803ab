-- Takes a JSON list of ids (bucket, kind, id) that are known now, and the time.
-- Makes the parked deliveries that wait for any of them due, and gives how many there are.
SELECT coverd.wake_waiting($1::json, $2)

-- Takes the time.
-- Makes every parked delivery due now and gives how many there are.
WITH woken AS (
  UPDATE coverd.inbox SET wake_at = $1 WHERE outcome = 'parked' RETURNING bucket
)
SELECT count(*) FROM woken

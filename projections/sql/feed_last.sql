-- Gives the number of the last event in the feed; 0 before the first.
SELECT seq FROM coverd.feed_head

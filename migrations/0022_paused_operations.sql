-- A person may leave one operation of a vendor alone, and not only all of it: an act says which, * for all. The latest
-- act of an operation says whether it is paused.
ALTER TABLE coverd.vendor_act ADD COLUMN operation text NOT NULL DEFAULT '*';

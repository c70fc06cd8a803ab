-- A webhook whose header brings an id of its own is kept under that, and the vendor, when asked, shows the same event
-- by the id in its body. So the body's id is kept too, beside the delivery, and what is told both ways is one.
CREATE TABLE coverd.also_known (
  bucket       int  NOT NULL CHECK (bucket = coverd.bucket_of(source || ':' || also)),
  source       text NOT NULL,
  also         text NOT NULL,  -- the dedupe key the delivery would have without its header
  inbox_bucket int  NOT NULL,
  arrival      uuid NOT NULL,
  PRIMARY KEY (bucket, source, also)
);

GRANT SELECT, INSERT ON coverd.also_known TO coverd_app;

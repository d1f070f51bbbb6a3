-- What an HTTP receiver answered to the one attempt of a run whose attempts its row leaves untold; null in the rows there are. The lock is for the
-- catalogue alone: nothing is looked through or written anew.
ALTER TABLE "runs" ADD COLUMN "http_status" smallint;

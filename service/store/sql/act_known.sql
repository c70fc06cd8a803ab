-- Takes the bucket of a vendor, the vendor and a cause. Gives the number of the act it led to, if any.
SELECT number FROM coverd.vendor_act WHERE bucket = $1 AND vendor = $2 AND cause = $3

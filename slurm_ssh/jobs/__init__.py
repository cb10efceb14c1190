"""Any batch job: submit it, watch it, keep it supplied."""

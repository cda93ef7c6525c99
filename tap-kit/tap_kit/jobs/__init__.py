"""Jobs on the vendor's side: start, poll, resume after a crash, cancel."""

"""What every app leans on and which knows none of them: errors, jobs, storage, signing, picture intake."""

"""The proof: what clients were answered, held against what the journal says happened."""

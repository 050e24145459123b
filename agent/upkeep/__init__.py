"""What is done after the reply: reading by a chat model, a fresh profile, what recall tells of retention."""

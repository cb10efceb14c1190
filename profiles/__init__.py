"""What may be asked: the catalogue, the offer made from it, and the one gate from Choices to Launch."""
